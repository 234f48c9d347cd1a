"""What Messenger and Instagram do alike: sending to people, answering comments, windows, profiles.

Source: Messenger Platform "Send messages", "Private replies", "Message tags"; Instagram Platform "Send
a message", "Private replies", "Comment moderation" (Graph v26.0, August 2026).
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels.base import (
    Act,
    Attachment,
    Button,
    Channel,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Profile,
    Question,
    Request,
    Response,
    SendOutcome,
    Sent,
    Unknown,
)
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.meta_addresses import BY_REFERENCE, COMMENT, POST, Target, named, target_of
from sportello.channels.meta_content import MEDIA_HOSTS
from sportello.channels.meta_errors import refused
from sportello.domain.model import DAY, SECOND, Instant

PERSON_WINDOW = 7 * DAY
"""How long a person may answer (tag HUMAN_AGENT), and how long a comment has a private reply."""
BUTTONS = 13
BUTTON_TITLE = 20
BUTTON_ID = 1000
MEGABYTE = 1_000_000

_FILES = {"image": "image", "video": "video", "audio": "audio", "voice": "audio", "document": "file"}


SETTINGS = (
    Question(
        name="get_started",
        text="Payload of the button that begins a conversation, where it is not GET_STARTED",
        optional=True,
        seldom=True,
    ),
    Question(
        name="people_apps",
        text="Ids of other apps in which people write, with commas between them",
        optional=True,
        seldom=True,
    ),
    *graph.SETTINGS,
)


class MetaChannel(Channel):
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "messenger"
    window: ClassVar[Instant | None] = DAY
    deadline: ClassVar[Instant] = 5 * SECOND
    shows_buttons: ClassVar[bool] = True
    acts: ClassVar[frozenset[Act]] = frozenset({"reply", "private", "hide"})
    media_hosts: ClassVar[tuple[str, ...]] = MEDIA_HOSTS
    profiles: ClassVar[bool] = True
    profile_fields: ClassVar[str]
    private_plain: ClassVar[bool] = False
    """A private reply may be text only."""

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        return graph.handshake(request, connection.settings.get("verify_token", ""))

    def verify(self, request: Request, connection: Connection) -> bool:
        return graph.signed(request, connection.secrets)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        """Also: what comments can carry, and the windows.

        In private 24 hours, for what a person wrote 7 days (an automatic reply never); in public none;
        for the one private reply to a comment 7 days.
        """
        target = target_of(message.to)
        if target is None or message.template is not None or (message.act != "reply" and not target.public):
            return Problem.REFUSED
        known = super().refusal(message, now, now)  # all but the window
        if known or message.act == "hide":
            return known
        if message.buttons and not (_fit(message.buttons) and self._takes_buttons(message, target)):
            return Problem.REFUSED
        if message.attachment is not None and not self._takes_file(message, target):
            return Problem.MEDIA
        window = _window(message, target)
        if window is not None and (last_inbound is None or now >= last_inbound + window):
            return Problem.WINDOW_CLOSED
        return None

    def _takes_buttons(self, message: Outbound, target: Target) -> bool:
        return not target.public or (message.act == "private" and not self.private_plain)

    def _takes_file(self, message: Outbound, target: Target) -> bool:
        return not target.public or (message.act == "private" and not self.private_plain)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """``to`` is a person's id, or what can be answered in public: see ``meta_addresses``."""
        target = target_of(message.to)
        if target is None or (message.act != "reply" and not target.public):
            return NotSent(problem=Problem.REFUSED, code="address")
        target = named(target, message)
        if not graph.usable(connection.token):
            return NotSent(problem=Problem.RECONNECT, code="token")
        if message.act == "hide":
            path, query, body = self.hiding(target)
            return _shown(self._post(path, body, connection, http, query), target.id)
        if target.public and message.act == "reply":
            path, body = self.commenting(message, target, connection)
            return _shown(self._post(path, body, connection, http))
        return self._send_private(message, target, connection, http)

    # --- what differs: addresses and bodies -------------------------------------------------------

    def host(self, connection: Connection) -> str:
        return graph.HOST

    @abstractmethod
    def messages_path(self, message: Outbound) -> str:
        """The edge that private messages are posted to."""

    @abstractmethod
    def hiding(self, target: Target) -> tuple[str, str, dict[str, Any] | None]:
        """Path, query and body of the call that hides a comment."""

    @abstractmethod
    def commenting(
        self, message: Outbound, target: Target, connection: Connection
    ) -> tuple[str, dict[str, Any]]:
        """Path and body of the call that answers in public."""

    @abstractmethod
    def envelope(self) -> dict[str, Any]:
        """What stands beside recipient and message where no tag does."""

    def written(self, message: Outbound) -> dict[str, Any]:
        """The ``message`` object of a text."""
        choices = [
            {"content_type": "text", "title": button.title, "payload": button.id}
            for button in message.buttons
        ]
        return {"text": message.text} | ({"quick_replies": choices} if choices else {})

    # --- private messages -------------------------------------------------------------------------

    def _send_private(
        self, message: Outbound, target: Target, connection: Connection, http: Http
    ) -> SendOutcome:
        """A file and its text are two messages, the file first: it is what can be refused."""
        contents = [_file(message.attachment)] if message.attachment else []
        if message.text.strip():
            contents.append(self.written(message))
        if not contents:
            return NotSent(problem=Problem.EMPTY, code="empty")
        outcome = self._deliver(message, target, contents[0], connection, http)
        for content in contents[1:]:
            if not isinstance(outcome, Sent):
                break
            after = self._deliver(message, target, content, connection, http)
            if not isinstance(after, Sent):
                return Unknown(code=f"text after file: {after.code}")
            outcome = outcome.model_copy(update={"also": (*outcome.also, after.id)})
        return outcome

    def _deliver(
        self,
        message: Outbound,
        target: Target,
        content: Mapping[str, Any],
        connection: Connection,
        http: Http,
    ) -> SendOutcome:
        """As an answer; where the platform says that it is too late for one, as a person's."""
        body = self._body(message, target, content)
        outcome = self._delivered(message, body | self.envelope(), connection, http)
        late = isinstance(outcome, NotSent) and outcome.problem is Problem.WINDOW_CLOSED
        if not late or not message.by_person or target.public:
            return outcome
        tagged = body | {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        again = self._delivered(message, tagged, connection, http)
        if isinstance(again, NotSent) and again.problem in (Problem.RECONNECT, Problem.REFUSED):
            # The app has not the feature: for this message it is the window that is closed.
            return NotSent(problem=Problem.WINDOW_CLOSED, code=again.code)
        return again

    def _body(self, message: Outbound, target: Target, content: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {"recipient": _recipient(target), "message": self.tagged(content, message)}
        if message.quote and not target.public:
            body["reply_to"] = {"mid": message.quote}
        return body

    def tagged(self, content: Mapping[str, Any], message: Outbound) -> dict[str, Any]:
        """The content with our own data, where the platform returns it."""
        return dict(content)

    def _delivered(
        self, message: Outbound, body: Mapping[str, Any], connection: Connection, http: Http
    ) -> SendOutcome:
        answer = self._post(self.messages_path(message), body, connection, http)
        if not isinstance(answer, Answer):
            return answer
        id, recipient = answer.json.get("message_id"), answer.json.get("recipient_id")
        if not isinstance(id, str) or not id:
            return Unknown(code="200 without an id")
        linked = recipient if message.act == "private" and isinstance(recipient, str) else ""
        return Sent(id=id, linked=linked)

    def _post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        connection: Connection,
        http: Http,
        query: str = "",
    ) -> Answer | NotSent | Unknown:
        try:
            answer = graph.call(
                "POST", path, connection, http, query=query, json_body=body, host=self.host(connection)
            )
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return refused(answer) or answer

    # --- people -----------------------------------------------------------------------------------

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        """The name of somebody who wrote in private; None where it is withheld, or nobody answers."""
        target = target_of(address)
        if target is None or target.kind or not graph.usable(connection.token):
            return None
        query = f"fields={self.profile_fields}"
        try:
            answer = graph.call(
                "GET", quote(target.id, safe=""), connection, http, query=query, host=self.host(connection)
            )
        except (NotConnected, NoAnswer):
            return None
        name = self.name_in(answer.json) if answer.status == 200 else ""
        return Profile(name=name) if name else None

    @abstractmethod
    def name_in(self, profile: Mapping[str, Any]) -> str:
        """The name in a profile."""


def said(fields: Mapping[str, Any], key: str) -> str:
    """A text or whole number of an answer as text; anything else counts as missing."""
    value = fields.get(key)
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _window(message: Outbound, target: Target) -> Instant | None:
    if target.public:
        return PERSON_WINDOW if message.act == "private" else None
    return PERSON_WINDOW if message.by_person else DAY


def _fit(buttons: Sequence[Button]) -> bool:
    return (
        len(buttons) <= BUTTONS
        and all(button.title.strip() and len(button.title) <= BUTTON_TITLE for button in buttons)
        and all(button.id and len(button.id) <= BUTTON_ID for button in buttons)
        and len({button.id for button in buttons}) == len(buttons)
    )


def _recipient(target: Target) -> dict[str, str]:
    keys = {COMMENT: "comment_id", POST: "post_id", BY_REFERENCE: "user_ref"}
    return {keys.get(target.kind, "id"): target.within or target.id}


def _file(attachment: Attachment) -> dict[str, Any]:
    return {"attachment": {"type": _FILES[attachment.kind], "payload": {"url": attachment.url}}}


def _shown(answer: Answer | NotSent | Unknown, id: str = "") -> SendOutcome:
    """Of a public reply the new comment's id; of hiding the comment's own."""
    if not isinstance(answer, Answer):
        return answer
    found = said(answer.json, "id") or (id if answer.json.get("success") is True else "")
    return Sent(id=found) if found else Unknown(code="200 without an id")
