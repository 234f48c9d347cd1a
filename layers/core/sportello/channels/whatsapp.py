"""WhatsApp, Cloud API: one business number per account, its id is Meta's phone number id.

Source: WhatsApp Business Platform pages of developers.facebook.com (Graph v26.0, August 2026).
``connection.settings``: ``verify_token`` (webhook handshake), ``waba_id`` (business account, for
``register``), ``graph_version`` and ``list_label`` (opens a list of choices; both optional).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels.base import (
    Button,
    Channel,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
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
    returns_tag = True

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
        path = f"{quote(message.account, safe='')}/messages"
        try:
            answer = graph.call("POST", path, connection, http, json_body=_body(message, connection))
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        return _outcome(answer)

    def probe(self, connection: Connection, http: Http) -> Mapping[str, Any]:
        """``{"accounts": [{"id", "display_phone_number", "verified_name"}, …]}``, one per number."""
        if not connection.accounts:
            raise ConnectError("Name the phone number id: it stands in WhatsApp > API Setup.")
        return {"accounts": [_number(account.id, connection, http) for account in connection.accounts]}

    def register(self, connection: Connection, url: str, http: Http) -> str:
        """Subscribe the app to the business account; the callback address is entered by hand."""
        waba = connection.settings.get("waba_id", "")
        verify_token = connection.settings.get("verify_token", "")
        if not waba or not verify_token:
            raise ConnectError(
                "Set waba_id (WhatsApp > API Setup, WhatsApp Business Account ID) and verify_token "
                "(any long random text of your own)."
            )
        _asked("POST", f"{quote(waba, safe='')}/subscribed_apps", connection, http)
        # Setting the address by API takes the app's own token, which nothing else here needs.
        return (
            "The app now receives this business account's events. In the App Dashboard open WhatsApp > "
            f"Configuration and enter as Callback URL {url} and as Verify token {verify_token}; then "
            "subscribe to the webhook fields messages and account_update, and to smb_message_echoes if "
            "the number is also used in the WhatsApp Business app."
        )


# --- what goes out ---------------------------------------------------------------------------------


def _body(message: Outbound, connection: Connection) -> dict[str, Any]:
    body: dict[str, Any] = {"messaging_product": "whatsapp", **_addressed(message.to)}
    if message.template:
        body |= {"type": "template", "template": _template(message.template)}
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


# --- connecting ------------------------------------------------------------------------------------


def _number(id: str, connection: Connection, http: Http) -> dict[str, Any]:
    fields = ("display_phone_number", "verified_name")
    answer = _asked("GET", quote(id, safe=""), connection, http, query=f"fields={','.join(fields)}")
    return {"id": id, **{field: answer.json.get(field, "") for field in fields}}


def _asked(method: str, path: str, connection: Connection, http: Http, query: str = "") -> Answer:
    if not graph.usable(connection.token):
        raise ConnectError("The token is empty or holds spaces or accents: copy it again, whole.")
    try:
        answer = graph.call(method, path, connection, http, query=query)
    except (NotConnected, NoAnswer):
        raise ConnectError("graph.facebook.com gave no answer: check the network and try again.") from None
    failure = graph.failure(answer)
    if failure:
        raise ConnectError(_remedy(failure))
    if answer.status != 200:
        raise ConnectError(f"graph.facebook.com answered {answer.status}: try again later.")
    return answer


def _remedy(failure: graph.Failure) -> str:
    if failure.code == 190:
        return (
            "The token was refused (190): it is expired or revoked. Make one that never expires for a "
            "system user, with whatsapp_business_messaging and whatsapp_business_management."
        )
    if failure.code == 100:
        return (
            f"Nothing with this id can be seen with this token ({failure}): check the phone number id and "
            "the WhatsApp Business Account id, and assign that account to the system user."
        )
    if problem_of(failure.code, failure.subcode) is Problem.RECONNECT:
        return (
            f"The token may not do this ({failure}): it needs whatsapp_business_messaging and "
            "whatsapp_business_management, and the system user full control of the WhatsApp account."
        )
    if problem_of(failure.code, failure.subcode) in (Problem.BUSY, Problem.TEMPORARY):
        return f"The platform is busy ({failure}): try again in a minute."
    return f"The platform refused with code {failure}: look it up in the page of WhatsApp's error codes."
