"""Messenger, and comments on a Page: an account is a Page, its id is the Page's.

Source: Messenger Platform and Graph API pages of developers.facebook.com (v26.0, August 2026).
``connection.token`` is the Page's token, ``secrets`` the app's. ``connection.settings``: ``verify_token``
(webhook handshake), ``app_id`` (found by ``probe``); optional ``get_started`` (payload of that button,
``GET_STARTED`` if left out), ``people_apps`` (ids of other apps in which people answer),
``appsecret_proof`` (``yes`` where the app requires it), ``graph_version``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels.base import (
    Account,
    ConnectError,
    Connection,
    Finding,
    MediaRule,
    Outbound,
    Probed,
    Question,
    Request,
)
from sportello.channels.body import read_objects
from sportello.channels.http import Http
from sportello.channels.messenger_comments import comment_events
from sportello.channels.meta_accounts import Desk, asked, examine, prove_secret, set_address, subscribe
from sportello.channels.meta_addresses import Target
from sportello.channels.meta_channel import MEGABYTE, SETTINGS, MetaChannel, said
from sportello.channels.meta_envelope import events
from sportello.domain.events import PlatformEvent

FIELDS = (
    "messages",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
    "messaging_handovers",
    "messaging_policy_enforcement",
    "standby",
    "feed",
)
PERMISSIONS = "pages_messaging, pages_manage_metadata, pages_read_engagement, pages_manage_engagement"
TAG_LIMIT = 1000


class Messenger(MetaChannel):
    name: ClassVar[str] = "messenger"
    text_limit: ClassVar[int] = 2000
    returns_tag: ClassVar[bool] = True
    profile_fields: ClassVar[str] = "first_name,last_name,name"
    media: ClassVar[Mapping[str, MediaRule]] = {
        "image": MediaRule(limit=8 * MEGABYTE, mimes=("image/",)),
        "video": MediaRule(limit=25 * MEGABYTE, mimes=("video/",)),
        "audio": MediaRule(limit=25 * MEGABYTE, mimes=("audio/",)),
        "voice": MediaRule(limit=25 * MEGABYTE, mimes=("audio/",)),
        "document": MediaRule(limit=25 * MEGABYTE),
    }
    questions: ClassVar[tuple[Question, ...]] = (
        Question(
            name="token",
            text="Page access token (App Dashboard > Messenger > API setup > Generate access tokens)",
            secret=True,
        ),
        Question(name="secret", text="App secret (App Dashboard > App settings > Basic)", secret=True),
        Question(name="verify_token", text="What Meta proves the address with", secret=True, made=True),
        *SETTINGS,
    )

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return events(read_objects(request.body), "page", connection, comment_events)

    # --- bodies -----------------------------------------------------------------------------------

    def messages_path(self, message: Outbound) -> str:
        return f"{quote(message.account, safe='')}/messages"

    def envelope(self) -> dict[str, Any]:
        return {"messaging_type": "RESPONSE"}

    def tagged(self, content: Mapping[str, Any], message: Outbound) -> dict[str, Any]:
        """``metadata`` comes back in the echo."""
        return dict(content) | ({"metadata": message.tag[:TAG_LIMIT]} if message.tag else {})

    def hiding(self, target: Target) -> tuple[str, str, dict[str, Any] | None]:
        return quote(target.id, safe=""), "", {"is_hidden": True}

    def commenting(
        self, message: Outbound, target: Target, connection: Connection
    ) -> tuple[str, dict[str, Any]]:
        """A post is answered as a comment is."""
        picture = {"attachment_url": message.attachment.url} if message.attachment else {}
        text = {"message": message.text} if message.text.strip() else {}
        return f"{quote(target.id, safe='')}/comments", text | picture

    def _takes_file(self, message: Outbound, target: Target) -> bool:
        """A public comment may carry one picture."""
        picture = message.attachment is not None and message.attachment.kind == "image"
        return super()._takes_file(message, target) or picture

    def name_in(self, profile: Mapping[str, Any]) -> str:
        parts = (said(profile, "first_name"), said(profile, "last_name"))
        return said(profile, "name") or " ".join(filter(None, parts))

    # --- connecting -------------------------------------------------------------------------------

    def probe(self, connection: Connection, http: Http) -> Probed:
        """``category`` exists on Pages only: a user's token is told apart by it."""
        page = asked("GET", "me", connection, http, permissions=PERMISSIONS, query="fields=id,name,category")
        app = asked("GET", "app", connection, http, permissions=PERMISSIONS, query="fields=id,name")
        id, app_id = said(page.json, "id"), said(app.json, "id")
        if not id or not app_id:
            raise ConnectError("Meta does not say whose token this is: copy the Page's token again.")
        prove_secret(connection, app_id, http)
        account = Account(id=id, name=said(page.json, "name"))
        return Probed(accounts=(account,), settings={"app_id": app_id})

    def register(self, connection: Connection, url: str, http: Http) -> str:
        if not connection.settings.get("app_id"):
            raise ConnectError("The app is not known: check the token first (connect does both).")
        desks = _desks(connection)
        for desk in desks[:1]:  # the address is the app's, whatever the number of Pages
            set_address(desk, connection, url, http)
        for desk in desks:
            subscribe(desk, connection, http)
        return (
            "The app delivers this Page's messages and comments here. By hand: make the app live, and ask "
            f"App Review for {PERMISSIONS} where people without a role in the app write, and for Human Agent "
            "so that people may answer for 7 days instead of 24 hours. One app serves one connection."
        )

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return [found for desk in _desks(connection) for found in examine(desk, connection, url, http)]


def _desks(connection: Connection) -> list[Desk]:
    return [
        Desk("page", FIELDS, quote(account.id, safe=""), FIELDS, graph.HOST, PERMISSIONS)
        for account in connection.accounts
    ]
