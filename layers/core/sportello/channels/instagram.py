"""Instagram: direct messages and comments of a professional account, whose id is the webhook's.

Source: Instagram Platform pages of developers.facebook.com (v26.0, August 2026).
``connection.settings``: ``login`` (``instagram`` or ``facebook``: with which login the token was made; it
decides host and paths), ``verify_token``, ``second_secret`` (the app's other secret: which one signs is not
documented), ``app_id`` (with Facebook Login found by ``probe``); ``page_id`` and ``app_scoped_id`` (further
ids of the account, found by ``probe``); optional ``get_started``, ``people_apps``, ``appsecret_proof``
and ``graph_version`` as for Messenger.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from sportello.channels import graph
from sportello.channels.base import (
    Account,
    ConnectError,
    Connection,
    Finding,
    MediaRule,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    Unit,
)
from sportello.channels.body import read_objects
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.channels.instagram_comments import comment_events
from sportello.channels.meta_accounts import (
    Desk,
    asked,
    examine,
    fault,
    prove_secret,
    set_address,
    subscribe,
)
from sportello.channels.meta_addresses import COMMENT, MENTION, Target
from sportello.channels.meta_channel import MEGABYTE, SETTINGS, MetaChannel, said
from sportello.channels.meta_envelope import events
from sportello.domain.events import PlatformEvent
from sportello.domain.model import Instant

FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "message_reactions",
    "messaging_handover",
    "standby",
    "comments",
)
PAGE_FIELDS = ("messages",)
"""With Facebook Login the Page's subscription lets the account's events through."""
OWN_PERMISSIONS = (
    "instagram_business_basic, instagram_business_manage_messages, instagram_business_manage_comments"
)
PAGE_PERMISSIONS = (
    "instagram_basic, instagram_manage_messages, instagram_manage_comments, pages_manage_metadata"
)
AUDIO = ("audio/aac", "audio/mp4", "audio/m4a", "audio/x-m4a", "audio/wav", "audio/x-wav")
VIDEO = ("video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm")


class Instagram(MetaChannel):
    name: ClassVar[str] = "instagram"
    text_limit: ClassVar[int] = 1000
    text_unit: ClassVar[Unit] = "bytes"
    echoes_untagged: ClassVar[bool] = True
    private_plain: ClassVar[bool] = True
    profile_fields: ClassVar[str] = "name,username"
    media: ClassVar[Mapping[str, MediaRule]] = {
        "image": MediaRule(limit=8 * MEGABYTE, mimes=("image/png", "image/jpeg")),
        "video": MediaRule(limit=25 * MEGABYTE, mimes=VIDEO),
        "audio": MediaRule(limit=25 * MEGABYTE, mimes=AUDIO),
        "voice": MediaRule(limit=25 * MEGABYTE, mimes=AUDIO),
        "document": MediaRule(limit=25 * MEGABYTE, mimes=("application/pdf",)),
    }
    questions: ClassVar[tuple[Question, ...]] = (
        Question(
            name="login",
            text="Which login was the token made with: instagram (Instagram > API setup with Instagram "
            "login) or facebook (a Page's token)",
            default="instagram",
        ),
        Question(name="token", text="Access token of the account, or of its Page", secret=True),
        Question(
            name="secret",
            text="App secret (instagram: Instagram > API setup; facebook: App settings > Basic)",
            secret=True,
        ),
        Question(
            name="second_secret",
            text="The app's other secret, if it has two: which one signs is not documented",
            secret=True,
            optional=True,
        ),
        Question(name="verify_token", text="What Meta proves the address with", secret=True, made=True),
        *SETTINGS,
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        return graph.signed(request, (*connection.secrets, connection.settings.get("second_secret", "")))

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return events(read_objects(request.body), "instagram", connection, comment_events)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        """Also: a mention on somebody else's post can be answered in public only."""
        if message.act != "reply" and message.to.startswith(MENTION):
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    # --- bodies -----------------------------------------------------------------------------------

    def host(self, connection: Connection) -> str:
        return graph.HOST if _by_page(connection) else graph.INSTAGRAM_HOST

    def messages_path(self, message: Outbound) -> str:
        """Whatever the login: the token's own account or Page, so its several ids do not matter."""
        return "me/messages"

    def envelope(self) -> dict[str, Any]:
        return {}

    def hiding(self, target: Target) -> tuple[str, str, dict[str, Any] | None]:
        return quote(target.id, safe=""), "hide=true", None

    def commenting(
        self, message: Outbound, target: Target, connection: Connection
    ) -> tuple[str, dict[str, Any]]:
        if target.kind == COMMENT:
            return f"{quote(target.id, safe='')}/replies", {"message": message.text}
        body = {"media_id": target.id, "message": message.text}
        within = {"comment_id": target.within} if target.within else {}
        return f"{quote(message.account, safe='')}/mentions", body | within

    def name_in(self, profile: Mapping[str, Any]) -> str:
        return said(profile, "name") or said(profile, "username")

    # --- connecting -------------------------------------------------------------------------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        login = connection.settings.get("login", "instagram")
        if login not in ("instagram", "facebook"):
            raise ConnectError("login is either instagram or facebook.")
        return _of_page(connection, http) if _by_page(connection) else _of_account(connection, http)

    def register(self, connection: Connection, url: str, http: Http) -> str:
        desk = _desk(connection)
        subscribe(desk, connection, http)
        by_hand = (
            "In the Instagram app allow access to messages: Settings > Messages and story replies > "
            "Connected tools. Make the app live; for people without a role in it ask App Review for "
            f"{desk.permissions} and Human Agent."
        )
        if _by_page(connection):
            set_address(desk, connection, url, http)
            return by_hand
        verify_token = connection.settings.get("verify_token", "")
        return (
            "In the App Dashboard open Instagram > API setup with Instagram login > Configure webhooks; "
            f"enter as Callback URL {url} and as Verify token {verify_token}, and subscribe to "
            f"{', '.join(FIELDS)}. {by_hand}"
        )

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        """Also: whether the account lets apps read its messages."""
        desk = _desk(connection)
        found = examine(desk, connection, url, http)
        try:
            asked(
                "GET",
                f"{desk.node}/conversations",
                connection,
                http,
                permissions=desk.permissions,
                query="platform=instagram&limit=1",
                host=desk.host,
            )
        except ConnectError as error:
            found.append(fault(error.code, str(error)))
        return found

    def renew(self, connection: Connection, http: Http) -> str:
        """A token of Instagram Login lives 60 days and is renewed from its second day on; a Page's stays."""
        if _by_page(connection) or not graph.usable(connection.token):
            return ""
        query = urlencode({"grant_type": "ig_refresh_token", "access_token": connection.token})
        try:
            answer = http.request("GET", f"{graph.INSTAGRAM_HOST}/refresh_access_token?{query}")
        except (NotConnected, NoAnswer):
            return ""
        token = said(answer.json, "access_token") if answer.status == 200 else ""
        return token if graph.usable(token) and token != connection.token else ""


def _by_page(connection: Connection) -> bool:
    return connection.settings.get("login") == "facebook"


def _of_account(connection: Connection, http: Http) -> Probed:
    """Instagram Login: ``user_id`` is what webhooks call the account, ``id`` is the app's own name for it."""
    query = "fields=user_id,username,id"
    host = graph.INSTAGRAM_HOST
    me = asked("GET", "me", connection, http, permissions=OWN_PERMISSIONS, query=query, host=host)
    id = said(me.json, "user_id")
    if not id:
        raise ConnectError("Instagram does not say whose token this is: it must be a professional account's.")
    account = Account(id=id, name=said(me.json, "username"))
    return Probed(accounts=(account,), settings={"app_scoped_id": said(me.json, "id")})


def _of_page(connection: Connection, http: Http) -> Probed:
    """Facebook Login: the token is a Page's, the account is linked to it."""
    query = "fields=id,name,instagram_business_account{id,username}"
    page = asked("GET", "me", connection, http, permissions=PAGE_PERMISSIONS, query=query)
    linked = page.json.get("instagram_business_account")
    facts = linked if isinstance(linked, dict) else {}
    id = said(facts, "id")
    if not id:
        raise ConnectError(
            "No professional Instagram account is linked to this Page: link it in the Page's settings under "
            "Linked accounts, then connect again."
        )
    app_id = said(asked("GET", "app", connection, http, permissions=PAGE_PERMISSIONS).json, "id")
    prove_secret(connection, app_id, http)
    account = Account(id=id, name=said(facts, "username"))
    return Probed(accounts=(account,), settings={"page_id": said(page.json, "id"), "app_id": app_id})


def _desk(connection: Connection) -> Desk:
    if _by_page(connection):
        page = quote(connection.settings.get("page_id", "me"), safe="")
        return Desk("instagram", FIELDS, page, PAGE_FIELDS, graph.HOST, PAGE_PERMISSIONS)
    return Desk("instagram", FIELDS, "me", FIELDS, graph.INSTAGRAM_HOST, OWN_PERMISSIONS)
