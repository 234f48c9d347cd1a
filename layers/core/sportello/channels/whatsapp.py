"""WhatsApp, Cloud API: one business number per account, its id is Meta's phone number id.

Source: WhatsApp Business Platform pages of developers.facebook.com (Graph v26.0, August 2026).
``connection.settings``: ``phone_number_id`` (one or more, for ``probe``), ``waba_id`` (business account,
for ``register``), ``verify_token`` (webhook handshake), ``graph_version`` and ``list_label`` (opens a
list of choices; both optional).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels import whatsapp_account as account
from sportello.channels.base import (
    Attachment,
    Button,
    Channel,
    Connection,
    Download,
    Finding,
    Media,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Request,
    Response,
    SendOutcome,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.body import read_object
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.whatsapp_errors import THROTTLE_SECONDS, problem_of, wait_of
from sportello.channels.whatsapp_files import CAPTION_LIMIT, RULES, WORDLESS, content, located, upload
from sportello.channels.whatsapp_people import is_scoped
from sportello.channels.whatsapp_wire import events
from sportello.domain.events import PlatformEvent
from sportello.domain.model import HOUR, SECOND, Instant

BUTTONS = 3
BUTTON_TITLE = 20
BUTTON_ID = 256
BUTTON_BODY = 1024
ROWS = 10
ROW_TITLE = 24
ROW_ID = 200


class WhatsApp(Channel):
    name = "whatsapp"
    family = "messenger"
    text_limit = 4096
    window = 24 * HOUR
    deadline = 5 * SECOND
    shows_buttons = True
    returns_tag = True
    questions = account.QUESTIONS
    media = RULES
    uploads = True
    media_hosts = ("lookaside.fbsbx.com",)

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        return graph.handshake(request, connection.settings.get("verify_token", ""))

    def verify(self, request: Request, connection: Connection) -> bool:
        return graph.signed(request, connection.secrets)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        return events(read_object(request.body), connection)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        """Also: more than 10 choices, choices that are too long or twice the same, choices on a template.

        Up to 3 choices go as buttons (title 20 characters, text 1,024), up to 10 as a list (title 24).
        """
        known = super().refusal(message, last_inbound, now)
        if known is None and message.attachment is not None:
            most = 0 if message.attachment.kind in WORDLESS else CAPTION_LIMIT
            if len(message.text) > most:
                return Problem.TOO_LONG
        if known or not message.buttons:
            return known
        if message.template or not _fit(message.buttons):
            return Problem.REFUSED
        if len(message.buttons) <= BUTTONS and len(message.text) > BUTTON_BODY:
            return Problem.TOO_LONG
        return None

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """``to`` is ``+`` and a number, a business-scoped id (``US.…``) or a group's id."""
        if message.buttons and (message.template or not _fit(message.buttons)):
            return NotSent(problem=Problem.REFUSED, code="buttons")
        if not graph.usable(connection.token):
            return NotSent(problem=Problem.RECONNECT, code="token")
        file: Mapping[str, Any] = {}
        if message.attachment is not None:
            uploaded = _upload(message.attachment, message, connection, http)
            if not isinstance(uploaded, str):
                return uploaded
            file = content(message.attachment, uploaded, message.text)
        path = f"{quote(message.account, safe='')}/messages"
        try:
            answer = graph.call("POST", path, connection, http, json_body=_body(message, connection, file))
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer)

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return located(media, connection, http)

    def probe(self, connection: Connection, http: Http) -> Probed:
        return account.probe(connection, http)

    def register(self, connection: Connection, url: str, http: Http) -> str:
        return account.register(connection, url, http)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return account.examine(connection, url, http)


# --- what goes out ---------------------------------------------------------------------------------


def _upload(file: Attachment, message: Outbound, connection: Connection, http: Http) -> str | NotSent:
    """The media id of the uploaded file; until a message names it nobody has been sent anything."""
    try:
        answer = upload(file, message.account, connection, http)
    except (NotConnected, NoAnswer):
        return NotSent(problem=Problem.TEMPORARY, code="upload")
    media_id = answer.json.get("id")
    if answer.status == 200 and isinstance(media_id, str):
        return media_id
    outcome = _outcome(answer)
    return outcome if isinstance(outcome, NotSent) else NotSent(problem=Problem.TEMPORARY, code="upload")


def _body(message: Outbound, connection: Connection, file: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"messaging_product": "whatsapp", **_addressed(message.to)}
    if message.template:
        body |= {"type": "template", "template": _template(message.template)}
    elif file:
        body |= file
    elif message.buttons:
        label = connection.settings.get("list_label") or "Menu"
        body |= {"type": "interactive", "interactive": _choices(message, label)}
    else:
        body |= {"type": "text", "text": {"body": message.text}}
    if message.quote:
        body["context"] = {"message_id": message.quote}
    if message.tag:
        body["biz_opaque_callback_data"] = message.tag
    return body


def _addressed(to: str) -> dict[str, str]:
    if is_scoped(to):
        return {"recipient_type": "individual", "recipient": to}
    if re.fullmatch(r"\+?[0-9]+", to):
        return {"recipient_type": "individual", "to": to}
    return {"recipient_type": "group", "to": to}


def _template(template: Template) -> dict[str, Any]:
    values = [{"type": "text", "text": value} for value in template.values]
    components = [{"type": "body", "parameters": values}] if values else []
    return {
        "name": template.name,
        "language": {"code": template.language},
        **({"components": components} if components else {}),
    }


def _choices(message: Outbound, label: str) -> dict[str, Any]:
    body = {"text": message.text}
    if len(message.buttons) <= BUTTONS:
        replies = [
            {"type": "reply", "reply": {"id": button.id, "title": button.title}} for button in message.buttons
        ]
        return {"type": "button", "body": body, "action": {"buttons": replies}}
    rows = [{"id": button.id, "title": button.title} for button in message.buttons]
    return {
        "type": "list",
        "body": body,
        "action": {"button": label[:BUTTON_TITLE], "sections": [{"rows": rows}]},
    }


def _fit(buttons: Sequence[Button]) -> bool:
    title, id = (BUTTON_TITLE, BUTTON_ID) if len(buttons) <= BUTTONS else (ROW_TITLE, ROW_ID)
    return (
        len(buttons) <= ROWS
        and all(button.title.strip() and len(button.title) <= title for button in buttons)
        and all(button.id and len(button.id) <= id for button in buttons)
        and len({button.title for button in buttons})
        == len({button.id for button in buttons})
        == len(buttons)
    )


# --- what comes back -------------------------------------------------------------------------------


def _outcome(answer: Answer) -> SendOutcome:
    failure = graph.failure(answer)
    if failure:
        problem = problem_of(failure.code, failure.subcode)
        if problem is None and answer.status >= 500:
            return Unknown(code=str(failure))
        return _not_sent(problem or Problem.REFUSED, str(failure), answer, wait_of(failure.code))
    if answer.status == 200:
        id = _message_id(answer)
        return Sent(id=id) if id else Unknown(code="200 without an id")
    if answer.status == 429:
        return _not_sent(Problem.BUSY, "429", answer, THROTTLE_SECONDS)
    if answer.status in (401, 403):
        return NotSent(problem=Problem.RECONNECT, code=str(answer.status))
    if 400 <= answer.status < 500 and answer.status != 408:
        return NotSent(problem=Problem.REFUSED, code=str(answer.status))
    return Unknown(code=str(answer.status))


def _not_sent(problem: Problem, code: str, answer: Answer, wait: float) -> NotSent:
    if problem is not Problem.BUSY:
        return NotSent(problem=problem, code=code)
    asked = graph.retry_after(answer)
    return NotSent(problem=problem, code=code, wait=wait if asked is None else asked)


def _message_id(answer: Answer) -> str:
    messages = graph.objects(answer.json, "messages")
    id = messages[0].get("id") if messages else None
    return id if isinstance(id, str) else ""
