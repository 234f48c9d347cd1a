"""What everybody can read on a Page or an Instagram account: comments, and what the desk does to them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from infra.world.meta_account import MetaAccount
from infra.world.meta_rules import MetaError, Sending
from infra.world.meta_webhooks import webhook_of
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.state import Absent, State
from infra.world.wire import Answer, Call, json_answer
from sportello.domain.model import DAY

SECONDS = 0.1
PRIVATE_DAYS = 7


class Platform(Protocol):
    """What a comment has to know of where it stands."""

    name: str
    object_name: str
    replies_edge: str
    state: State
    post: Callable[[Webhook, float], None]

    def author(self, person: Person) -> str: ...


class Comments(ABC):
    """Comments lie on their author's public phone, kind ``comment``; posts are remembered beside.

    Callers hold the state's lock.
    """

    too_late: tuple[int, int]
    answered: tuple[int, int]

    def __init__(self, platform: Any) -> None:
        self.platform: Platform = platform

    @abstractmethod
    def new_id(self, post: str) -> str: ...

    @abstractmethod
    def default_post(self, account: MetaAccount) -> str: ...

    @abstractmethod
    def value(self, account: MetaAccount, shown: Shown, post: str, person: Person | None, verb: str) -> Any:
        """The ``value`` of a change; no person: the account's own."""

    @abstractmethod
    def mention(self, account: MetaAccount, body: Mapping[str, Any] | None) -> Answer: ...

    field: str

    @property
    def state(self) -> State:
        return self.platform.state

    def find(self, id: str) -> tuple[str, Shown] | None:
        """Author and comment of that id."""
        phones = self.state.phones.get(self.platform.name, {})
        for address, items in phones.items():
            for item in items:
                if id and item.id == id and item.kind in ("comment", "visitor_post"):
                    return address, item
        return None

    def say(self, account: MetaAccount, person: Person, say: Say) -> Webhook:
        """A customer comments, changes or removes a comment."""
        author, name = self.platform.author(person), self.platform.name
        if say.kind == "comment":
            post = say.more.get("post") or self.default_post(account)
            shown = self._shown(account, self.new_id(post), say.text, "in", say.quote, say.at)
            self.state.show(name, author, shown)
            self._remember(account, author, shown.id, post)
            return self.webhook(account, shown, post, person, "add")
        wanted = {"id": say.target} if say.target else {}
        found = self.state.newest(name, author, kind="comment", direction="in", **wanted)
        if found is None:
            raise Absent("no such comment of theirs")
        gone = say.kind == "comment_delete"
        change = {"deleted": True, "text": ""} if gone else {"edited": True, "text": say.text}
        self.state.change(name, author, found, **change)
        shown = found.model_copy(update={"text": say.text})
        post = self._post_of(account, author, found.id)
        return self.webhook(account, shown, post, person, "remove" if gone else "edited")

    def take(self, account: MetaAccount, found: tuple[str, Shown], edge: str, call: Call) -> Answer:
        """The desk answers in public or hides."""
        author, comment = found
        body = call.json or {}
        if comment.deleted:
            raise MetaError(100, 33, "Object does not exist")
        if not edge:
            return self._hide(account, author, comment, body.get("is_hidden"), call.query.get("hide"))
        if edge != self.platform.replies_edge:
            raise MetaError(100, text="Unknown path components")
        text = body.get("message", "")
        if not isinstance(text, str) or not (text or body.get("attachment_url")):
            raise MetaError(100, text="The parameter message is required")
        post = self._post_of(account, author, comment.id)
        shown = self._shown(account, self.new_id(post), text, "out", comment.id)
        self.state.show(self.platform.name, author, shown)
        self._tell(account, shown, post, "add")
        return json_answer(200, {"id": shown.id}, id=shown.id)

    def answered_privately(self, account: MetaAccount, sending: Sending) -> Person:
        """Whom a private reply reaches: once per comment, for seven days."""
        found = self.find(sending.address)
        if found is None or found[1].deleted:
            raise MetaError(100, 2018292, "Invalid comment_id parameter")
        author, comment = found
        if self.state.now() >= comment.time + PRIVATE_DAYS * DAY:
            raise MetaError(*self.too_late, "The comment is too old")
        if comment.status == "answered":
            raise MetaError(*self.answered, "Activity already replied to")
        self.state.change(self.platform.name, author, comment, status="answered")
        person = self.state.known(author)
        if person is None:
            raise MetaError(100, 33, "No such person")
        return person

    def webhook(
        self, account: MetaAccount, shown: Shown, post: str, person: Person | None, verb: str
    ) -> Webhook:
        name = self.platform.name
        author = self.platform.author(person) if person else account.id
        change = {"field": self.field, "value": self.value(account, shown, post, person, verb)}
        entry = {"time": self.state.now() // 1000, "changes": [change]}
        return webhook_of(
            self.state,
            name,
            self.platform.object_name,
            account,
            author,
            entry,
            message_id=shown.id,
            customer=f"{post}:{author}",
        )

    def _tell(self, account: MetaAccount, shown: Shown, post: str, verb: str) -> None:
        if account.webhook_url and account.subscribed:
            self.platform.post(self.webhook(account, shown, post, None, verb), SECONDS)

    def _hide(self, account: MetaAccount, author: str, comment: Shown, body: Any, query: Any) -> Answer:
        wanted = body if self.platform.object_name == "page" else query
        if wanted not in (True, "true"):
            raise MetaError(100, text="The parameter is_hidden (hide) is required")
        self.state.change(self.platform.name, author, comment, hidden=True)
        return json_answer(200, {"success": True}, id=comment.id)

    def _shown(
        self, account: MetaAccount, id: str, text: str, direction: Any, quote: str, at: int | None = None
    ) -> Shown:
        time = at if at is not None else self.state.now()
        fields: dict[str, Any] = {"id": id, "direction": direction, "kind": "comment", "text": text}
        return Shown(**fields, time=time, account=account.id, quote=quote)

    def _remember(self, account: MetaAccount, author: str, comment: str, post: str) -> None:
        talk = self.state.talk(self.platform.name, account.id, author)
        more = {**(talk.more if talk else {}), comment: post}
        self.state.keep_talk(self.platform.name, account.id, author, more=more)

    def _post_of(self, account: MetaAccount, author: str, comment: str) -> str:
        talk = self.state.talk(self.platform.name, account.id, author)
        return (talk.more if talk else {}).get(comment, "")
