"""Pages and Instagram accounts of ours, as Meta knows them; both live in one app."""

from typing import Literal

from infra.world.model import PlatformAccount

PAGE_FIELDS = (
    "messages", "message_echoes", "message_edits", "message_reactions", "message_deliveries",
    "message_reads", "messaging_postbacks", "messaging_referrals", "messaging_optins",
    "messaging_handovers", "messaging_policy_enforcement", "standby", "feed",
)  # fmt: skip
ACCOUNT_FIELDS = (
    "messages", "messaging_postbacks", "messaging_referral", "messaging_seen", "message_reactions",
    "messaging_handover", "standby", "comments",
)  # fmt: skip


class MetaAccount(PlatformAccount):
    """``webhook_url`` is the app's address for this kind of object; ``subscribed`` the account's own word."""

    token: str
    previous_token: str = ""
    """Renewed, and good for a while yet."""
    app_id: str
    app_secret: str
    name: str = "Service desk"
    verify_token: str = ""
    app_fields: tuple[str, ...] = ()
    """What the app subscribes to."""
    fields: tuple[str, ...] = ()
    """What the account sends the app."""
    human_agent: bool = True
    """Whether App Review granted the feature: answers of people for seven days."""
    proof_required: bool = False
    """"Require App Secret": calls need ``appsecret_proof``."""

    @property
    def tokens(self) -> frozenset[str]:
        return frozenset({self.token, self.previous_token}) - {""}


class MessengerPage(MetaAccount):
    """``id`` is the Page's."""


class InstagramAccount(MetaAccount):
    """``id`` is the professional account's, as in webhooks."""

    login: Literal["instagram", "facebook"] = "instagram"
    app_scoped_id: str = ""
    page_id: str = ""
    messages_on: bool = True
    """The account's switch "allow access to messages"."""


LOCAL_PAGE = MessengerPage(
    id="100000000000101",
    token="local-desk-page-token",  # noqa: S106 opens nothing
    app_id="900000000000001",
    app_secret="local-desk-messenger-secret",  # noqa: S106
    verify_token="local-desk-verify",  # noqa: S106
    app_fields=PAGE_FIELDS,
    fields=PAGE_FIELDS,
)
LOCAL_INSTAGRAM = InstagramAccount(
    id="17840000000000101",
    token="local-desk-instagram-token",  # noqa: S106
    app_id="900000000000002",
    app_secret="local-desk-instagram-secret",  # noqa: S106
    name="service.desk",
    verify_token="local-desk-verify",  # noqa: S106
    app_fields=ACCOUNT_FIELDS,
    fields=ACCOUNT_FIELDS,
    app_scoped_id="26000000000000101",
    page_id="100000000000102",
)
