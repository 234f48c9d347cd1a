"""Sending a WhatsApp message: what is accepted, shown and reported.

Source: Meta's Cloud API reference, pages "Messages" and "Message status webhooks".
"""

import re
import uuid
from collections.abc import Callable
from typing import Any

from infra.world.model import File, Person, Shown, Webhook
from infra.world.people import BSUID, new_wamid
from infra.world.state import State
from infra.world.whatsapp_number import TemplateForm, WhatsAppNumber
from infra.world.whatsapp_rules import MEDIA, GraphError, check_message
from infra.world.whatsapp_webhooks import status_webhook
from infra.world.wire import Answer, json_answer
from sportello.channels.base import Button
from sportello.domain.model import HOUR

WINDOW = 24 * HOUR
PAIR_BURST, PAIR_PER_SECOND = 45, 1 / 6
STATUSES = {"on": ("sent", "delivered"), "read": ("sent", "delivered", "read"), "off": ()}
DELAYS = {"sent": 0.05, "delivered": 0.15, "read": 0.3, "failed": 0.1}
LATER = (131026, 131047)
"""Told by a ``failed`` status where the option says so, as the platform mostly does."""


class Messages:
    """The ``/messages`` edge of a number. Callers hold the state's lock."""

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        self.state = state
        self.post = post

    def take(self, number: WhatsAppNumber, body: dict[str, Any] | None) -> Answer:
        if body is None:
            raise GraphError(100, "The body must be a JSON object")
        if body.get("status") == "read":
            return self._mark_read(number, body)
        kind = check_message(body)
        given = self._recipient_given(body)
        person = self.state.known(given)
        try:
            shown = self._shown(number, kind, body)
            self._check_recipient(number, person, kind)
        except GraphError as error:
            if error.code in LATER and self.errors_come_later():
                return self.fail_later(number, body, error)
            raise
        assert person is not None  # noqa: S101 _check_recipient refuses strangers
        self.state.show("whatsapp", person.wa_id, shown)
        self._report(number, person.wa_id, shown)
        return _accepted(given, person, shown.id)

    def _recipient_given(self, body: dict[str, Any]) -> str:
        """``to`` wins over ``recipient``, which takes business-scoped ids only."""
        to = body.get("to")
        if to:
            digits = re.sub(r"[\s()+.-]", "", str(to))
            if not digits.isdigit():
                raise GraphError(131009, "Parameter to must be a phone number")
            return digits
        recipient = body.get("recipient")
        if not recipient:
            raise GraphError(100, "The parameter to is required.")
        if not BSUID.fullmatch(str(recipient)):
            raise GraphError(131009, "Parameter recipient must be a business-scoped user id")
        return str(recipient)

    def _check_recipient(self, number: WhatsAppNumber, person: Person | None, kind: str) -> None:
        talk = self.state.talk("whatsapp", number.id, person.wa_id) if person else None
        if person is None or (talk is not None and talk.blocked):
            raise GraphError(131026, "Message undeliverable.")
        last_in = talk.last_in if talk else None
        if kind != "template" and (last_in is None or self.state.now() >= last_in + WINDOW):
            raise GraphError(
                131047,
                "Message failed to send because more than 24 hours have passed since the customer"
                " last replied to this number.",
            )
        pair = f"whatsapp:{number.id}:{person.wa_id}"
        if self.state.options.whatsapp_pair_rate and self.state.buckets.take(
            pair, PAIR_BURST, PAIR_PER_SECOND
        ):
            raise GraphError(131056)

    def _shown(self, number: WhatsAppNumber, kind: str, body: dict[str, Any]) -> Shown:
        """What the customer will see."""
        content = body[kind]
        text = str(content.get("body", content.get("caption", "")))
        buttons: tuple[Button, ...] = ()
        shown_kind = kind
        file: File | None = None
        if kind == "template":
            text, buttons = _filled(number, content)
        elif kind == "interactive":
            text, shown_kind = content["body"]["text"], content["type"]
            buttons = _interactive_buttons(content["action"])
        elif kind == "reaction":
            text = content["emoji"]
        elif kind in MEDIA:
            file = self._file(kind, content)
        context = body.get("context")
        return Shown(
            id=new_wamid(number.display_phone_number, uuid.uuid4().bytes),
            direction="out",
            kind=shown_kind,
            text=text,
            buttons=buttons,
            file=file,
            time=self.state.now(),
            account=number.id,
            quote=str(context.get("message_id", "")) if isinstance(context, dict) else "",
            tag=str(body.get("biz_opaque_callback_data", "")),
        )

    def _file(self, kind: str, content: dict[str, Any]) -> File:
        """An uploaded file by its id, or the address of one, which is not fetched here."""
        if not content.get("id"):
            return File(url=str(content["link"]))
        file = self.state.upload("whatsapp", str(content["id"]))
        if file is None:
            raise GraphError(100, f"Param {kind}['id'] is not a valid media id.")
        return file

    def _mark_read(self, number: WhatsAppNumber, body: dict[str, Any]) -> Answer:
        wanted = str(body.get("message_id", ""))
        for address in self.state.phones.get("whatsapp", {}):
            if self.state.newest("whatsapp", address, id=wanted, direction="in", account=number.id):
                return json_answer(200, {"success": True})
        raise GraphError(100, "message_id does not exist")

    def errors_come_later(self) -> bool:
        return self.state.options.whatsapp_errors == "status"

    def fail_later(self, number: WhatsAppNumber, body: dict[str, Any], error: GraphError) -> Answer:
        """A 200 first, then a ``failed`` status, as the platform does for what it learns late."""
        given = str(body.get("to") or body.get("recipient") or "").lstrip("+")
        return self._accept_to_fail(number, given, error, str(body.get("biz_opaque_callback_data", "")))

    def _accept_to_fail(self, number: WhatsAppNumber, given: str, error: GraphError, tag: str) -> Answer:
        wamid = new_wamid(number.display_phone_number, uuid.uuid4().bytes)
        address = self.state.address("whatsapp", given)
        unseen = Shown(id=wamid, direction="out", time=self.state.now(), account=number.id, tag=tag)
        self._send_status(number, address, unseen, "failed", error)
        return _accepted(given, self.state.known(given), wamid)

    def _report(self, number: WhatsAppNumber, address: str, shown: Shown) -> None:
        for status in STATUSES[self.state.options.receipts]:
            self._send_status(number, address, shown, status, None)
            self.state.change("whatsapp", address, shown, status=status)

    def _send_status(
        self, number: WhatsAppNumber, address: str, shown: Shown, status: str, error: GraphError | None
    ) -> None:
        if number.webhook_url and number.subscribed:
            self.post(status_webhook(self.state, number, address, shown, status, error), DELAYS[status])


def _accepted(given: str, person: Person | None, wamid: str) -> Answer:
    contact = {"input": given}
    if person is not None:
        contact |= {"wa_id": person.wa_id} if given == person.wa_id else {"user_id": person.bsuid}
    value = {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}
    return json_answer(200, value, id=wamid)


def _filled(number: WhatsAppNumber, content: dict[str, Any]) -> tuple[str, tuple[Button, ...]]:
    form = _form(number, content["name"], content["language"]["code"])
    components = content.get("components") or []
    parameters = [
        str(parameter.get("text", ""))
        for component in components
        if component.get("type") == "body"
        for parameter in component.get("parameters", ())
    ]
    expected = len(set(re.findall(r"\{\{[^}]+\}\}", form.body)))
    if len(parameters) != expected:
        raise GraphError(132000, f"body: number of localizable_params ({len(parameters)}) != ({expected})")
    text = form.body
    for position, value in enumerate(parameters, 1):
        text = text.replace(f"{{{{{position}}}}}", value)
    return text, tuple(Button(id=title, title=title) for title in form.buttons)


def _form(number: WhatsAppNumber, name: str, language: str) -> TemplateForm:
    for form in number.templates:
        if (form.name, form.language) == (name, language):
            return form
    raise GraphError(132001, f"template name ({name}) does not exist in {language}")


def _interactive_buttons(action: dict[str, Any]) -> tuple[Button, ...]:
    replies = [button["reply"] for button in action.get("buttons", ())]
    rows = [row for section in action.get("sections", ()) for row in section["rows"]]
    return tuple(Button(id=item["id"], title=item["title"]) for item in replies or rows)
