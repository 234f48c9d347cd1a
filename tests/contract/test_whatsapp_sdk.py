"""Our reading of WhatsApp webhooks beside that of an independent library, pywa.

Over our own samples and, where they are present, payloads written by others (``SPORTELLO_FIXTURES``):
the same kind, id, words, account and customer. Every difference is listed with the reason why ours
is right; a listed difference that is gone, or a new one, fails.
"""

import json
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from pywa.client import WhatsApp as PywaClient
from pywa.types.callback import CallbackButton, CallbackSelection
from pywa.types.calls import CallPermissionUpdate
from pywa.types.chat import ChatType
from pywa.types.flows import FlowCompletion
from pywa.types.message import DeletedMessage, EditedMessage, Message, OutgoingMessage
from pywa.types.message_status import MessageStatus
from pywa.types.system import IdentityChange, PhoneNumberChange

from sportello.channels.base import Account, Connection, Request
from sportello.channels.whatsapp import WhatsApp
from sportello.domain.events import Delete, Echo, Edit, Inbound, Moved, PlatformEvent, Receipt
from tests.contract.corpus import payloads
from tests.contract.samples import all_samples

FIRST_ONLY = "pywa reads only the first update of a body; a body may hold up to a thousand"
NO_BODY = "pywa drops a message whose type has no body; that is how a file over 100 MB comes"
FORM = "pywa's words are the platform's 'Sent'; people need the answers"
NO_NUMBER = "pywa drops a change of id that names no number; ids change without one"
SENTENCE = "pywa takes the new number from a field that older events lack; it stands in the sentence"
NO_IDENTITY = "pywa drops the notice without an identity beside it; the documented shape has none"
PLACEHOLDER = "the sample's numbers are words in capitals: nobody moved, people see the notice"
OLD_ERROR = "pywa drops an error of the older shape, without message; the customer did write something"
NO_CONTEXT = "pywa drops a choice from a list without context; the choice is there all the same"
OF_GROUP = "pywa gathers a group's receipts into another kind of update; ours marks the message"
MADE_UP = "the test button names a made-up number; ours tells of the connection that it tests"
TO_USER = "pywa takes the customer of an echo from contacts, which echoes may lack; 'to_user_id' names them"

DIFFERENCES = {
    "whatsapp/batch": FIRST_ONLY,
    "whatsapp/dashboard-test": MADE_UP,
    "whatsapp/echo-image": TO_USER,
    "whatsapp/form-reply": FORM,
    "whatsapp/status-read-in-group": OF_GROUP,
    "whatsapp/system-id-changed": NO_NUMBER,
    "whatsapp/system-identity-changed": NO_IDENTITY,
    "whatsapp/system-number-changed-2022": SENTENCE,
    "whatsapp/unsupported-file-too-large": NO_BODY,
    "others/david-lev-pywa__flow-completion-completion": FORM,
    "others/david-lev-pywa__message-status-group": OF_GROUP,
    "others/david-lev-pywa__outgoing-message-text": TO_USER,
    "others/piusalfred-whatsapp__payload": FIRST_ONLY,
    "others/piusalfred-whatsapp__payload-11": OLD_ERROR,
    "others/piusalfred-whatsapp__payload-3": FIRST_ONLY,
    "others/piusalfred-whatsapp__payload-5": NO_CONTEXT,
    "others/restfb-restfb__whatsapp-webhook-incoming-message-error": OLD_ERROR,
    "others/restfb-restfb__whatsapp-webhook-incoming-message-status-group-bsuid": OF_GROUP,
    "others/restfb-restfb__whatsapp-webhook-incoming-message-system": PLACEHOLDER,
    "others/restfb-restfb__whatsapp-webhook-incoming-message-system-bsuid": NO_NUMBER,
}
"""Bodies that the two read differently, and why ours is right."""


@dataclass(frozen=True)
class Reading:
    kind: str
    id: str
    words: str
    account: str
    customer: str


class Pywa:
    """The library behind its documented handlers; what it cannot read, it logs and drops."""

    def __init__(self) -> None:
        self._found: list[Any] = []
        self._client = PywaClient(
            token="fake",
            verify_token="fake",
            filter_updates=False,
            validate_updates=False,
            skip_duplicate_updates=False,
        )
        for name in HANDLERS:
            getattr(self._client, name)()(self._keep)

    def _keep(self, _client: PywaClient, update: Any) -> None:
        self._found.append(update)

    def read(self, body: bytes) -> list[Reading]:
        self._found.clear()
        self._client.webhook_update_handler(body)
        return [_of_pywa(update) for update in self._found]


HANDLERS = (
    "on_message",
    "on_message_status",
    "on_callback_button",
    "on_callback_selection",
    "on_flow_completion",
    "on_edited_message",
    "on_deleted_message",
    "on_outgoing_message",
    "on_phone_number_change",
    "on_identity_change",
    "on_call_permission_update",
)
KINDS = {
    "text": "text",
    "image": "media",
    "video": "media",
    "audio": "media",
    "document": "media",
    "sticker": "media",
    "location": "location",
    "contacts": "contact",
    "reaction": "reaction",
    "order": "order",
    "request_welcome": "start",
}


def _of_pywa(update: Any) -> Reading:
    kind, id, words = _essence(update)
    user, chat = update.from_user, getattr(update, "chat", None)
    # Our thread is the group, where the answer goes; a receipt finds its thread by our own data.
    group = chat.id if chat is not None and chat.type is ChatType.GROUP else ""
    customer = "" if kind in ("receipt", "moved") else group or user.bsuid or user.wa_id
    return Reading(kind, id, words, update.metadata.phone_number_id, customer)


def _essence(update: Any) -> tuple[str, str, str]:
    match update:
        case MessageStatus():
            status = str(update.status.value)
            return "receipt", update.id, "read" if status == "played" else status
        case EditedMessage():
            return "edit", update.original_message_id, update.message.text or update.message.caption or ""
        case DeletedMessage():
            return "delete", update.original_message_id, ""
        case PhoneNumberChange():
            return "moved", update.id, update.new_user_id or update.new_wa_id or ""
        case IdentityChange():
            return "service", update.id, update.body
        case CallPermissionUpdate():
            return "service", update.id, ""
        case FlowCompletion():
            return "button", update.id, update.body
        case CallbackButton() | CallbackSelection():
            return "button", update.id, update.title
        case OutgoingMessage():
            return "echo", update.id, update.text or update.caption or ""
        case Message():
            return KINDS.get(str(update.type.value), "unsupported"), update.id, _words(update)
    raise TypeError(type(update).__name__)


def _words(message: Any) -> str:
    if message.reaction:
        return message.reaction.emoji or ""
    if message.order:
        return message.order.text or ""
    return message.text or message.caption or ""


def completed(body: bytes) -> bytes:
    """The body with what pywa demands and the platform leaves out: a contact with a business-scoped id.

    Receipts and echoes may come without ``contacts``, and before 2026 contacts had only a number.
    """
    content = json.loads(body)
    for entry in content["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            if any(key in value for key in ("messages", "statuses", "message_echoes")):
                contacts = value.setdefault("contacts", [{"profile": {"name": "Customer One"}}])
                for contact in contacts:
                    contact.setdefault("user_id", "US.10000000000000000201")
    return json.dumps(content).encode()


def _of_ours(event: PlatformEvent) -> Reading | None:
    match event:
        case Receipt():
            return Reading("receipt", event.id, event.status, event.account, "")
        case Edit():
            return Reading("edit", event.original, event.text, event.account, event.customer.id)
        case Delete():
            return Reading("delete", event.originals[0], "", event.account, event.customer.id)
        case Moved():
            return Reading("moved", event.id, event.customer.id, event.account, "")
        case Echo():
            return Reading("echo", event.id, event.text, event.account, event.customer.id)
        case Inbound():
            return Reading(event.kind.value, event.id, event.text, event.account, event.customer.id)
    return None


def _ours(body: bytes) -> list[Reading]:
    connection = Connection(name="main", secrets=("fake",), accounts=(Account(id="100000000000001"),))
    events = WhatsApp().parse(Request(method="POST", body=body), connection)
    return [reading for event in events if (reading := _of_ours(event))]


BODIES = [
    *((str(sample), sample.request.body) for sample in all_samples("whatsapp") if not sample.response),
    *(
        (f"others/{payload.name}", payload.body)
        for payload in payloads("whatsapp")
        # pywa raises on a body without entries.
        if payload.inbound and json.loads(payload.body)["entry"]
    ),
]


@pytest.mark.filterwarnings("ignore::pywa.errors.PywaUnknownEnumMemberWarning")
def test_both_read_the_same_but_for_what_is_listed() -> None:
    logging.getLogger("pywa").setLevel(logging.CRITICAL)
    library, differing, equal = Pywa(), {}, 0
    for name, body in BODIES:
        ours, theirs = _ours(body), library.read(body)
        if ours and not theirs:
            whole = completed(body)
            ours, theirs = _ours(whole), library.read(whole)
        if ours == theirs:
            equal += bool(ours)
        else:
            differing[name] = (theirs, ours)
    present = {name for name, _ in BODIES}
    for name in sorted(differing):
        print(name, *differing[name], sep="\n    ")
    print(f"{equal} bodies read alike")
    assert equal >= 40
    assert set(differing) == {name for name in DIFFERENCES if name in present}
