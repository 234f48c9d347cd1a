"""The official accounts of ours that exist at LINE, and what LINE remembers of each."""

import hashlib

from infra.world.model import PlatformAccount


class LineBot(PlatformAccount):
    """``id`` is the account's own user id; ``subscribed`` the switch "Use webhook" in LINE's console."""

    token: str
    secret: str
    """The channel secret, which signs webhooks; it opens no call."""
    basic_id: str = "@local_desk"
    name: str = "Service desk"
    quota: int | None = None
    """Pushes that are left this month; None: any number."""


LOCAL_BOT = LineBot(
    id="U0000000000000000000000000000de5c",
    token="local-desk-token",  # noqa: S106 opens nothing
    secret="local-desk-channel-secret",  # noqa: S106
)


def person_id(number: int) -> str:
    return f"U{number:032x}"


def group_id(name: str) -> str:
    return "C" + hashlib.sha256(f"line group {name}".encode()).hexdigest()[:32]
