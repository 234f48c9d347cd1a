"""What each stand-in for a platform offers to the world; one subclass per module is found by itself."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from infra.world.faults import NETWORK, Fault
from infra.world.files import Served, customer_file
from infra.world.model import Person, PlatformAccount, Say, Webhook
from infra.world.state import Absent, State
from infra.world.wire import Answer, Call, Target


class StandIn(ABC):
    """One platform's API and, where customers write on it, the customers.

    ``answer``, ``fail`` and ``say`` read and then write: ``say`` is called under the state's lock,
    the others take it.
    """

    name: ClassVar[str]
    """Of a channel the name of its function's folder."""
    hosts: ClassVar[tuple[str, ...]] = ()
    """Host names that it answers for; ``.example.com`` means all of that domain."""
    services: ClassVar[tuple[str, ...]] = ()
    """AWS services that it answers for, by the name in the signature, e.g. ``ses``."""
    faults: ClassVar[frozenset[str]]
    """Kinds of fault that it can play, besides those of the network."""
    account_model: ClassVar[type[PlatformAccount] | None] = None
    """Accounts of ours at the platform; None: customers do not write there."""
    webhooks: ClassVar[bool] = True
    """Whether the platform calls a function URL; else ``deliver`` hands over what customers write."""

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        self.state = state
        self.post = post
        """Sends a webhook after so many seconds, beside the call that caused it."""

    # --- the platform's API ----------------------------------------------------------------------

    def serves(self, host: str) -> bool:
        return any(host == known or (known[0] == "." and host.endswith(known)) for known in self.hosts)

    def claims(self, call: Call) -> bool:
        """Whether a call is its own, where it shares a host with others; must not raise.

        Where nobody claims a call, the first one by name answers it.
        """
        return True

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

    # --- customers, where it is a channel ----------------------------------------------------------

    def local_account(self) -> PlatformAccount:
        """The account that the local desk starts with; its credentials open nothing."""
        raise Absent(f"{self.name} has no accounts")

    def local_connection(self, account: Any) -> Mapping[str, Any]:
        """The secret by which our side knows that account: secrets, token, accounts, settings."""
        raise Absent(f"{self.name} has no connections")

    def address(self, person: Person) -> str:
        """The id under which the platform knows the person, and their phone is found."""
        raise Absent(f"{self.name} has no customers")

    def addresses(self, person: Person) -> tuple[str, ...]:
        """Every address of the person that has a phone of its own; the first is the usual one."""
        return (self.address(person),)

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        """A customer's act: shown on the phone, and as the webhook that the platform would send.

        With it why it is not delivered, empty where it is. Raises ``Absent`` for what the
        platform cannot do, naming what it can.
        """
        raise Absent(f"nobody writes on {self.name}")

    def look(self, address: str) -> None:  # noqa: B027 - on most platforms nothing has to be asked for
        """Somebody looks at that phone; a client that asks for what is new does so now."""

    def accepts(self, status: int, body: str) -> bool:
        """Whether our answer counts as taken; what is not is delivered again."""
        return status == 200

    def deliver(self, webhook: Webhook) -> int | None:
        """Hands a webhook over in a way of its own: a status as of HTTP. None: it is posted by HTTP."""
        return None

    # --- for use in the methods above ---------------------------------------------------------------

    def unknown_kind(self, say: Say, known: Collection[str]) -> Absent:
        return Absent(f"{self.name} has no kind {say.kind!r}; known: {', '.join(sorted(known))}")

    def serve(self, url: str, mime: str, say: Say, authorization: str = "") -> Served:
        """A customer's file lies at that address; ``Say.more`` may ask for trouble: ``customer_file``."""
        served = customer_file(self.name, mime, say.more, authorization)
        self.state.serve(url, served)
        return served
