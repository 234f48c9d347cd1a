"""Telling a platform to fail: which calls, how, and how often."""

import threading
from collections.abc import Callable

from pydantic import Field

from infra.world.wire import Target
from sportello.domain.model import Model

NETWORK = ("hang", "hang_after_accepting", "reset", "reset_after_accepting")
"""Faults that every platform can have: no answer before or after taking the message."""


class Fault(Model):
    """An order to fail.

    Kinds for every platform: ``hang`` and ``reset`` (nothing is taken), ``hang_after_accepting``
    and ``reset_after_accepting`` (the phone shows it, we are not told), ``429``, ``500``. The
    others are the platform's: see ``FAULTS`` in its module.
    """

    platform: str
    kind: str
    times: int | None = Field(default=1, ge=1)
    """How many calls fail; None: all until cleared."""
    match: str = ""
    """Only calls about this address, id or name."""
    method: str = ""
    """Only this method; left out: every call that would send something."""
    retry_after: int = 1
    """Seconds named in a 429."""
    seconds: float = 30.0
    """How long a hanging call hangs."""
    code: str = Field(default="", pattern=r"^[A-Za-z0-9._-]*$")
    """The platform's own, for ``error`` and ``failed_later``; Telegram's new chat id for ``migrated``."""
    text: str = "told to fail"
    """The platform's words, for ``error``."""


class Faults:
    """The orders given; each call takes the first one that fits."""

    def __init__(self, same_address: Callable[[str, str, str], bool]) -> None:
        self._lock = threading.Lock()
        self._orders: list[Fault] = []
        self._same_address = same_address

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._orders.append(fault)

    def clear(self, platform: str = "") -> None:
        with self._lock:
            self._orders = [order for order in self._orders if platform and order.platform != platform]

    def all(self) -> tuple[Fault, ...]:
        with self._lock:
            return tuple(self._orders)

    def take(self, platform: str, target: Target) -> Fault | None:
        with self._lock:
            for position, order in enumerate(self._orders):
                if order.platform == platform and self._fits(order, target):
                    self._use(position, order)
                    return order
        return None

    def _fits(self, order: Fault, target: Target) -> bool:
        if order.method and order.method != target.method:
            return False
        # An expired token fails every call; what else goes wrong is asked for where something is sent.
        if not order.method and not target.sends and order.kind != "token_expired":
            return False
        return not order.match or self._same_address(order.platform, order.match, target.address)

    def _use(self, position: int, order: Fault) -> None:
        if order.times is None:
            return
        if order.times == 1:
            del self._orders[position]
        else:
            self._orders[position] = order.model_copy(update={"times": order.times - 1})
