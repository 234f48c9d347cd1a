"""Instagram's messages and comments as the desk calls them, and the customers who write there."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from infra.world.meta_account import LOCAL_INSTAGRAM, InstagramAccount, MetaAccount
from infra.world.meta_comments import Comments
from infra.world.meta_graph import MetaStandIn
from infra.world.meta_rules import Limits, MetaError
from infra.world.meta_webhooks import BUILDERS, Conversation
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.state import Absent, State
from infra.world.wire import Answer, Call, json_answer

SCOPED = 6_000_000_000_000_000
AUTHOR = 17_840_100_000_000_000
OWN = ("edit", "delete")
"""Acts that do not open the window."""


class PostComments(Comments):
    field = "comments"
    too_late = (100, 2534025)
    answered = (100, 2534025)

    def default_post(self, account: MetaAccount) -> str:
        return "17910000000000001"

    def new_id(self, post: str) -> str:
        return str(self.state.next("instagram comments", 17_920_000_000_000_001))

    def value(self, account: MetaAccount, shown: Shown, post: str, person: Person | None, verb: str) -> Any:
        author = {"id": account.id, "username": account.name, "self_ig_scoped_id": "26000000000000101"}
        if person:
            username = person.name.lower().replace(" ", ".")
            author = {"id": self.platform.author(person), "username": username}
        parent = {"parent_id": shown.quote} if shown.quote else {}
        media = {"id": post, "media_product_type": "FEED"}
        return {"id": shown.id, "text": shown.text, "from": author, "media": media, **parent}

    def mention(self, account: MetaAccount, body: Mapping[str, Any] | None) -> Answer:
        if not body or not body.get("media_id") or not body.get("message"):
            raise MetaError(100, text="media_id and message are required")
        return json_answer(200, {"id": self.new_id("")})


class AccountConversation(Conversation):
    channel = "instagram"

    @classmethod
    def builders(cls) -> dict[str, Callable[[Any], dict[str, Any]]]:
        return {**BUILDERS, "story_reply": _story_reply, "story_mention": _story_mention}


def _story_reply(talk: Conversation) -> dict[str, Any]:
    talk.show("story_reply", talk.say.text)
    story = {"url": talk.file("image/jpeg", "story-"), "id": "17900000000000001"}
    return talk.message(text=talk.say.text, reply_to={"story": story})


def _story_mention(talk: Conversation) -> dict[str, Any]:
    talk.show("story_mention", "")
    payload = {"url": talk.file("image/jpeg", "story-")}
    return talk.message(attachments=[{"type": "story_mention", "payload": payload}])


KINDS = (*AccountConversation.builders(), "comment", "block", "unblock")


class Instagram(MetaStandIn):
    name = "instagram"
    object_name = "instagram"
    hosts = ("graph.instagram.com", "graph.facebook.com")
    limits: ClassVar[Limits] = Limits(text=1000, unit="bytes", metadata=False, messaging_type=False)
    replies_edge = "replies"
    window_closed = (10, 2534022)
    blocked = (100, 2534029)
    unknown = (100, 2534014)
    bad_file = (100, 2534015)
    account_model = InstagramAccount
    faults = MetaStandIn.faults | {"messages_off"}

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        super().__init__(state, post)
        self._comments = PostComments(self)

    @property
    def comments(self) -> Comments:
        return self._comments

    def local_account(self) -> InstagramAccount:
        return LOCAL_INSTAGRAM

    def local_connection(self, account: InstagramAccount) -> dict[str, Any]:
        settings = {"login": account.login, "verify_token": account.verify_token}
        settings |= {"app_scoped_id": account.app_scoped_id, "page_id": account.page_id}
        settings |= {"app_id": account.app_id} if account.login == "facebook" else {}
        return {**super().local_connection(account), "settings": settings}

    def address(self, person: Person) -> str:
        return str(SCOPED + person.number)

    def author(self, person: Person) -> str:
        return str(AUTHOR + person.number)

    def at(self, account: InstagramAccount) -> str:
        return "graph.instagram.com" if account.login == "instagram" else "graph.facebook.com"

    def node(self, account: InstagramAccount) -> frozenset[str]:
        return frozenset({account.id, account.app_scoped_id, account.page_id}) - {""}

    def facts(self, account: InstagramAccount) -> Mapping[str, Any]:
        if account.login == "facebook":
            linked = {"id": account.id, "username": account.name}
            return {"id": account.page_id, "name": account.name, "instagram_business_account": linked}
        return {"id": account.app_scoped_id, "user_id": account.id, "username": account.name}

    def receipt(self, shown: Shown, status: str) -> Mapping[str, Any] | None:
        return {"read": {"mid": shown.id}} if status == "read" else None

    def conversations(self, account: InstagramAccount) -> Answer:
        self._check_switch(account)
        return super().conversations(account)

    def _answer(self, call: Call) -> Answer:
        if call.path == "/refresh_access_token":
            return self._refreshed(call)
        return super()._answer(call)

    def _send(self, account: Any, body: Mapping[str, Any] | None) -> Answer:
        self._check_switch(account)
        return super()._send(account, body)

    def _check_switch(self, account: InstagramAccount) -> None:
        if not account.messages_on:
            raise MetaError(200, 2534041, "Access to messages is off")

    def _refreshed(self, call: Call) -> Answer:
        """A token of Instagram Login; the one before it stays good for a while."""
        accounts: tuple[InstagramAccount, ...] = self.state.accounts_of(self.name)
        token = call.query.get("access_token", "")
        if call.query.get("grant_type") != "ig_refresh_token":
            raise MetaError(100, text="Invalid grant_type")
        account = next((known for known in accounts if token in known.tokens), None)
        if account is None or account.login != "instagram":
            raise MetaError(190, text="Invalid OAuth access token")
        newer = f"{account.token.partition('.')[0]}.{self.state.next('instagram tokens')}"
        update = {"token": newer, "previous_token": account.token}
        with self.state.lock:
            self.state.keep_account(self.name, account.model_copy(update=update))
        content = {"access_token": newer, "token_type": "bearer", "expires_in": 5_184_000}
        return json_answer(200, content)

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        """Also ``start`` (``more["ref"]``), ``story_reply``, ``story_mention``, ``comment``
        (``more["post"]``, ``quote``: the one answered); ``as_owner``: a person in Instagram's inbox.
        """
        if say.kind not in KINDS:
            raise self.unknown_kind(say, KINDS)
        account: InstagramAccount = self.state.account(self.name, say.account)
        person = self.state.person(say.sender)
        note = "" if account.webhook_url and account.subscribed else "no webhook is set"
        if say.kind == "comment":
            return self.comments.say(account, person, say), note
        address = self.address(person)
        if say.kind in ("block", "unblock"):
            self.state.keep_talk(self.name, account.id, address, blocked=say.kind == "block")
            return None, "Instagram tells nobody of a block"
        if not account.messages_on:
            raise Absent("the account does not let apps read its messages")
        event = AccountConversation(self.state, account, person, address, say).event()
        if say.kind not in OWN and not say.as_owner:
            self.keep_window(account, address, say)
        return self.private_webhook(account, address, event, say), note
