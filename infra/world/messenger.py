"""Messenger and Page comments as the desk calls them, and the customers who write there."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from infra.world.meta_account import LOCAL_PAGE, MessengerPage, MetaAccount
from infra.world.meta_comments import Comments
from infra.world.meta_graph import MetaStandIn
from infra.world.meta_rules import Limits, MetaError
from infra.world.meta_webhooks import BUILDERS, Conversation
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.state import State
from infra.world.wire import Answer

PSID = 5_000_000_000_000_000
AUTHOR = 1_200_000_000_000_000
COMMENT_KINDS = ("comment", "comment_edit", "comment_delete")
OWN = ("edit", "delete")
"""Acts that do not open the window."""


class PageComments(Comments):
    field = "feed"
    too_late = (10901, 0)
    answered = (10900, 0)

    def default_post(self, account: MetaAccount) -> str:
        return f"{account.id}_800000000000001"

    def new_id(self, post: str) -> str:
        return f"{post.partition('_')[2]}_{self.state.next('messenger comments', 810_000_000_000_001)}"

    def value(self, account: MetaAccount, shown: Shown, post: str, person: Person | None, verb: str) -> Any:
        author = {"id": account.id, "name": account.name}
        if person:
            author = {"id": self.platform.author(person), "name": person.name}
        content = {"message": shown.text} if verb != "remove" else {}
        return {
            "item": "comment",
            "verb": verb,
            "comment_id": shown.id,
            "post_id": post,
            "parent_id": shown.quote or post,
            "from": author,
            "created_time": shown.time // 1000,
            **content,
        }

    def mention(self, account: MetaAccount, body: Mapping[str, Any] | None) -> Answer:
        raise MetaError(100, text="Unknown path components: /mentions")


class PageConversation(Conversation):
    channel = "messenger"


class Messenger(MetaStandIn):
    name = "messenger"
    object_name = "page"
    hosts = ("graph.facebook.com",)
    limits: ClassVar[Limits] = Limits(text=2000, unit="characters", metadata=True, messaging_type=True)
    replies_edge = "comments"
    window_closed = (10, 2018278)
    blocked = (551, 1545041)
    unknown = (100, 2018001)
    bad_file = (100, 2018008)
    account_model = MessengerPage

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        super().__init__(state, post)
        self._comments = PageComments(self)

    @property
    def comments(self) -> Comments:
        return self._comments

    def local_account(self) -> MessengerPage:
        return LOCAL_PAGE

    def address(self, person: Person) -> str:
        return str(PSID + person.number)

    def author(self, person: Person) -> str:
        return str(AUTHOR + person.number)

    def node(self, account: MessengerPage) -> frozenset[str]:
        return frozenset({account.id})

    def facts(self, account: MessengerPage) -> Mapping[str, Any]:
        return {"id": account.id, "name": account.name, "category": "Shopping & retail"}

    def receipt(self, shown: Shown, status: str) -> Mapping[str, Any] | None:
        watermark = {"watermark": self.state.now()}
        return {"delivery": watermark} if status == "delivered" else {"read": watermark}

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        """Also ``start`` (``more["ref"]``), ``comment`` (``more["post"]``, ``quote``: the one answered),
        ``comment_edit``, ``comment_delete``; ``as_owner``: a person in the Page's inbox; ``more["standby"]``.
        """
        if say.kind not in (*BUILDERS, *COMMENT_KINDS, "block", "unblock"):
            raise self.unknown_kind(say, (*BUILDERS, *COMMENT_KINDS, "block", "unblock"))
        account: MessengerPage = self.state.account(self.name, say.account)
        person = self.state.person(say.sender)
        note = "" if account.webhook_url and account.subscribed else "no webhook is set"
        if say.kind in COMMENT_KINDS:
            return self.comments.say(account, person, say), note
        address = self.address(person)
        if say.kind in ("block", "unblock"):
            self.state.keep_talk(self.name, account.id, address, blocked=say.kind == "block")
            return None, "Messenger tells nobody of a block"
        event = PageConversation(self.state, account, person, address, say).event()
        if say.kind not in OWN and not say.as_owner:
            self.keep_window(account, address, say)
        return self.private_webhook(account, address, event, say), note
