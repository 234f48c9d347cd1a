"""What each stand-in for a platform offers to the server."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from infra.world.faults import NETWORK, Fault, Platform
from infra.world.model import Webhook
from infra.world.state import State
from infra.world.wire import Answer, Call, Target


class StandIn(ABC):
    """One platform's API. Everything happens under the state's lock, so calls are atomic."""

    name: ClassVar[Platform]
    hosts: ClassVar[tuple[str, ...]]
    """Host names that it answers for."""
    faults: ClassVar[frozenset[str]]
    """Kinds of fault that it can play, besides those of the network."""

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        self.state = state
        self.post = post
        """Sends a webhook after so many seconds, beside the call that caused it."""

    @abstractmethod
    def target(self, call: Call) -> Target:
        """Whom the call is about; never raises, whatever the body holds."""

    @abstractmethod
    def answer(self, call: Call) -> Answer:
        """What the platform does and says."""

    @abstractmethod
    def fail(self, call: Call, fault: Fault) -> Answer:
        """What the platform says when it is told to fail in this way."""

    def can_fail(self, kind: str) -> bool:
        return kind in NETWORK or kind in self.faults
