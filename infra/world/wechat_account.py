"""The official accounts of ours that exist at WeChat."""

from infra.world.model import PlatformAccount
from sportello.domain.model import Instant


class WeChatAccount(PlatformAccount):
    """``id`` is the original id, ``gh_…``."""

    app_id: str
    app_secret: str
    token: str
    """Of the server configuration: what webhooks are signed with."""
    aes_key: str = ""
    """43 characters; empty: plain mode."""
    mode: str = "safe"
    listed: bool = True
    """The desk's address is on the IP whitelist."""
    verified: bool = True
    """Only verified accounts may answer."""
    access_token: str = ""
    access_ends: Instant = 0


LOCAL_ACCOUNT = WeChatAccount(
    id="gh_0000000000a1",
    app_id="wx0000000000000001",
    app_secret="local-desk-app-secret",  # noqa: S106 opens nothing
    token="localdesktoken",  # noqa: S106
    aes_key="LocalDeskLocalDeskLocalDeskLocalDeskLocalDe",
)
