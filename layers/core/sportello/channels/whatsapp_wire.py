"""From a WhatsApp webhook body to events: the envelope, statuses, echoes and account notices.

``entry[].changes[]`` carries a ``field`` and a ``value``; for ``messages`` the value holds
``messages[]``, ``statuses[]`` and ``errors[]`` in any mixture, up to 1,000 updates together.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from sportello.channels import whatsapp_people as people
from sportello.channels.base import Connection, Problem, Unparseable
from sportello.channels.graph import (
    Malformed,
    array,
    from_seconds,
    guarded,
    label,
    needed,
    objects,
    record,
    word,
)
from sportello.channels.whatsapp_errors import problem_of
from sportello.channels.whatsapp_kinds import content, type_of, written
from sportello.domain.events import (
    Connected,
    Customer,
    Delete,
    Echo,
    Edit,
    Ignored,
    Inbound,
    Moved,
    PlatformEvent,
    Receipt,
)

Json = Mapping[str, Any]

OBJECT = "whatsapp_business_account"
TEST_ENTRY = "0"
"""Entry id of what the App Dashboard's test button sends."""

_STATUSES: dict[str, Literal["sent", "delivered", "read", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
}
_CUT_OFF = frozenset({"ACCOUNT_DELETED", "ACCOUNT_RESTRICTION", "DISABLED_UPDATE", "PARTNER_REMOVED"})
_STILL_ON = frozenset({"REINSTATE", "SCHEDULE_FOR_DISABLE"})
_CHANGES_OF_ID = frozenset({"user_changed_number", "user_changed_user_id", "customer_changed_number", ""})


class Envelope:
    """Where in a body we are: what every event of one ``value`` shares."""

    def __init__(self, account: str, value: Json, test: bool) -> None:
        self.account = account
        self.test = test
        self.contacts = objects(value, "contacts")
        self.errors = objects(value, "errors")
        metadata = value.get("metadata")
        ours = metadata if isinstance(metadata, dict) else {}
        self.numbers = frozenset(
            filter(None, (people.digits(str(ours.get("display_phone_number", ""))), account))
        )


def events(body: Json, connection: Connection) -> list[PlatformEvent]:
    """All events of a body, in its order; at least one."""
    entries = body.get("entry")
    if body.get("object") != OBJECT or not isinstance(entries, list):
        raise Unparseable(f"the body is no {OBJECT} webhook")
    found: list[PlatformEvent] = []
    for entry in entries:
        found += guarded(_first(connection), entry, "entry", lambda given: _entry(given, connection))
    return found or [Ignored(account=_first(connection), why="no entries")]


def _first(connection: Connection) -> str:
    return connection.accounts[0].id if connection.accounts else ""


def _entry(entry: Json, connection: Connection) -> list[PlatformEvent]:
    found: list[PlatformEvent] = []
    for change in array(entry, "changes"):
        found += guarded(
            _first(connection), change, "change", lambda given: _change(entry, given, connection)
        )
    return found or [Ignored(account=_first(connection), why="no changes")]


def _change(entry: Json, change: Json, connection: Connection) -> Sequence[PlatformEvent]:
    field, value, test = word(change, "field"), record(change, "value"), word(entry, "id") == TEST_ENTRY
    if field == "account_update" and not test:
        return _account_update(entry, value, connection)
    if field not in ("messages", "smb_message_echoes"):
        return [Ignored(account=_first(connection), why=label(field))]
    # The test button names a made-up number; it tests the connection that it was sent to.
    account = _first(connection) if test else _account(value, connection)
    envelope = Envelope(account, value, test)
    if field == "smb_message_echoes":
        found = _each(value, "message_echoes", envelope, _echo)
    else:
        found = [*_each(value, "messages", envelope, _message), *_each(value, "statuses", envelope, _status)]
        if envelope.errors and not value.get("messages"):
            found += [_error(error, entry, envelope) for error in envelope.errors]
    return found or [Ignored(account=envelope.account, why=f"{field} without content")]


def _account(value: Json, connection: Connection) -> str:
    """The number that the value is about; where it says nothing, the connection's only one."""
    named = word(record(value, "metadata"), "phone_number_id")
    if named:
        return named
    if len(connection.accounts) != 1:
        raise Malformed("metadata.phone_number_id is missing")
    return connection.accounts[0].id


def _each(
    value: Json, key: str, envelope: Envelope, reader: Callable[[Json, Envelope, bool], PlatformEvent]
) -> list[PlatformEvent]:
    parts = array(value, key)
    alone = len({_party(part) for part in parts if isinstance(part, dict)}) == 1
    found: list[PlatformEvent] = []
    for part in parts:
        found += guarded(envelope.account, part, key, lambda given: [reader(given, envelope, alone)])
    return found


def _party(part: Json) -> str:
    return json.dumps([part.get(key) for key in ("from", "from_user_id", "to", "to_user_id")])


def _message(message: Json, envelope: Envelope, alone: bool) -> PlatformEvent:
    if word(message, "group_id") and people.digits(word(message, "from")) in envelope.numbers:
        return Ignored(account=envelope.account, why="our own message in a group")
    name, id, time = type_of(message), needed(message, "id"), from_seconds(message, "timestamp")
    if name == "system" and word(record(message, "system"), "type") in _CHANGES_OF_ID:
        found = people.moved(message)
        if found:
            return Moved(account=envelope.account, customer=found[0], previous=found[1], id=id, time=time)
    customer = _customer(message, envelope, alone)
    if name == "edit":
        edit = record(message, "edit")
        return Edit(
            account=envelope.account,
            customer=customer,
            original=needed(edit, "original_message_id"),
            time=time,
            text=written(record(edit, "message")),
        )
    if name == "revoke":
        original = needed(record(message, "revoke"), "original_message_id")
        return Delete(account=envelope.account, customer=customer, originals=(original,), time=time)
    return _inbound(message, envelope, customer)


def _customer(message: Json, envelope: Envelope, alone: bool) -> Customer:
    if word(message, "group_id"):
        return people.group(message, envelope.contacts)
    return people.sender(message, envelope.contacts, alone)


def _inbound(message: Json, envelope: Envelope, customer: Customer) -> Inbound:
    said = content(message, envelope.errors)
    given = message.get("context")
    context = given if isinstance(given, dict) else {}
    in_group = bool(word(message, "group_id"))
    keep = said.keep or "referral" in message or "referred_product" in context
    return Inbound(
        account=envelope.account,
        customer=customer,
        id=needed(message, "id"),
        time=from_seconds(message, "timestamp"),
        kind=said.kind,
        text=said.text,
        media=said.media,
        place=said.place,
        cards=said.cards,
        payload=said.payload,
        ref=people.ref_in(said.text),
        attested="" if in_group else people.attested(customer, said.cards),
        quote=said.quote or word(context, "id"),
        forwarded=bool(context.get("forwarded") or context.get("frequently_forwarded")),
        group=in_group,
        addressed=not in_group or people.digits(word(context, "from")) in envelope.numbers,
        detail=said.detail,
        fragment=dict(message) if keep else None,
        test=envelope.test,
    )


def _echo(message: Json, envelope: Envelope, alone: bool) -> PlatformEvent:
    """Something that a person wrote in the WhatsApp Business app on the same number."""
    name = type_of(message)
    if name in ("edit", "revoke"):
        return Ignored(account=envelope.account, why=f"echo of {name}")
    in_group = bool(word(message, "group_id"))
    said = content(message, envelope.errors)
    return Echo(
        account=envelope.account,
        customer=people.group(message, ())
        if in_group
        else people.recipient(message, envelope.contacts, alone),
        id=needed(message, "id"),
        time=from_seconds(message, "timestamp"),
        kind=said.kind,
        text=said.text,
        media=said.media,
    )


def _status(status: Json, envelope: Envelope, _alone: bool) -> PlatformEvent:
    name = word(status, "status")
    if name not in _STATUSES:
        return Ignored(account=envelope.account, why=f"status {label(name)}")
    failed = name == "failed"
    code = _code(next(iter(objects(status, "errors")), {}))
    problem = (problem_of(code) if code is not None else None) or Problem.REFUSED
    return Receipt(
        account=envelope.account,
        id=needed(status, "id"),
        status=_STATUSES[name],
        time=from_seconds(status, "timestamp"),
        tag=word(status, "biz_opaque_callback_data"),
        code=str(code) if failed and code is not None else "",
        problem=problem.value if failed else "",
    )


def _code(error: Json) -> int | None:
    code = error.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _error(error: Json, entry: Json, envelope: Envelope) -> PlatformEvent:
    """An error that belongs to no message: trouble with the account, or none of our business."""
    code = _code(error)
    why = f"error {code}" if code is not None else "error"
    if code is None or envelope.test or problem_of(code) is not Problem.RECONNECT:
        return Ignored(account=envelope.account, why=why)
    return Connected(
        account=envelope.account,
        id=_id(entry, error),
        time=_entry_time(entry),
        enabled=False,
        detail=why,
    )


def _account_update(entry: Json, value: Json, connection: Connection) -> list[PlatformEvent]:
    """A notice about the whole business account: told of each of its numbers."""
    event = word(value, "event")
    state = word(record(value, "ban_info"), "waba_ban_state")
    if event not in _CUT_OFF:
        return [Ignored(account=_first(connection), why=f"account_update {label(event)}")]
    return [
        Connected(
            account=account.id,
            id=_id(entry, value),
            time=_entry_time(entry),
            enabled=state in _STILL_ON,
            detail=" ".join(label(item) for item in (event, state) if item),
        )
        for account in connection.accounts
    ] or [Ignored(account="", why=f"account_update {label(event)}")]


def _entry_time(entry: Json) -> int | None:
    try:
        return from_seconds(entry, "time")
    except Malformed:
        return None


def _id(entry: Json, part: Json) -> str:
    """Notices have no id of their own: the same notice again has the same content."""
    whole = json.dumps([entry.get("id"), entry.get("time"), part], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:32]
