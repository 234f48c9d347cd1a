"""The bots of ours that exist at Telegram."""

from infra.world.model import PlatformAccount
from sportello.domain.model import Model


class TelegramBusiness(Model):
    """A business connection: the bot answers in the owner's own chats."""

    id: str
    owner_id: int
    can_reply: bool = True
    enabled: bool = True


class TelegramBot(PlatformAccount):
    """``id`` is the number before the colon of its token."""

    token: str
    username: str
    secret: str = ""
    allowed_updates: tuple[str, ...] | None = None
    """None: all; an empty list given to ``setWebhook`` becomes the platform's default."""
    business: tuple[TelegramBusiness, ...] = ()


LOCAL_BOT = TelegramBot(
    id="100200300",
    token="100200300:local-desk-token",  # noqa: S106 opens nothing
    username="local_desk_bot",
    secret="local-desk-secret",  # noqa: S106
)
