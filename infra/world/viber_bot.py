"""The bots of ours that exist at Viber."""

from infra.world.model import PlatformAccount

HOST_NAME = "SN-CHAT-01_"


class ViberBot(PlatformAccount):
    token: str
    name: str
    uri: str
    event_types: tuple[str, ...] | None = None
    """None: all of them."""


LOCAL_BOT = ViberBot(
    id="pa:5000000000000000001",
    token="local-desk-viber-token",  # noqa: S106 opens nothing
    name="Local Desk",
    uri="localdesk",
)
