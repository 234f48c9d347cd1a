"""Calls and voicemail as events: https://www.twilio.com/docs/voice/twiml#request-parameters

A call that nobody took is one message (``<CallSid>:voice``), whichever of Twilio's callbacks tells of
it first; a call that somebody took leaves a notice under the same id, so that its end is no missed
call. Twilio counts every call that got an answer by machine as completed: missed is our own word.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from sportello.channels.base import Connection
from sportello.channels.sms_twilio import receipt
from sportello.domain.events import Customer, Edit, Ignored, Inbound, Kind, Media, PlatformEvent, Unreadable

HIDDEN = "anonymous:"
"""Before the call's id: a caller without a number is nobody else's caller."""
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}")
_OTHER = re.compile(r"(sip|client):[^\x00-\x20\x7f]{1,60}")
_SID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_KEYS = {letter: str(key) for key, letters in enumerate(
    ("ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"), start=2
) for letter in letters}  # fmt: skip
_SPELLED = frozenset(
    "+" + "".join(_KEYS[letter] for letter in word)
    for word in ("ANONYMOUS", "RESTRICTED", "BLOCKED", "UNKNOWN", "UNAVAILABLE", "PRIVATE")
)
"""Carriers type the word on the keys where they have no number: +266696687 is ANONYMOUS."""
_ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_TAKEN = frozenset({"completed", "answered", "in-progress"})
_ITALIAN = frozenset({"IT", "SM", "VA"})


def events(fields: Mapping[str, str], connection: Connection) -> tuple[PlatformEvent, ...]:
    """One webhook is one event; its kind shows in its parameters, its place in ours (``step``)."""
    account = account_of(fields, connection)
    try:
        return (_event(fields, account, connection),)
    except _Missing as missing:
        return (Unreadable(account=account, fragment=dict(fields), why=f"{missing}: missing"),)


class _Missing(Exception):
    """A parameter without which the event cannot be placed."""


def _event(fields: Mapping[str, str], account: str, connection: Connection) -> PlatformEvent:
    if "MessageStatus" in fields:
        return receipt(fields, account)
    if fields.get("TranscriptionStatus") or fields.get("TranscriptionText"):
        return _transcription(fields, account, connection)
    if "RecordingStatus" in fields:
        return _recording(fields, account, connection)
    if "RecordingUrl" in fields:
        return Ignored(account=account, why="recorded: its own callback follows")
    if "DialCallStatus" in fields or fields.get("step") in ("leg", "missed"):
        return _call(fields, account, connection)
    status = fields.get("CallStatus", "")
    if fields.get("Direction", "").startswith("outbound"):
        return Ignored(account=account, why=f"outbound call {status[:32]}")
    if (status == "ringing" and not rings(connection)) or status in _ENDED:
        return _call(fields, account, connection)
    return Ignored(account=account, why=f"call {status[:32]}")


def rings(connection: Connection) -> bool:
    """Whether calls go to the desk's own phone first."""
    return bool(connection.settings.get("forward"))


def was_taken(fields: Mapping[str, str]) -> bool:
    """Whether this tells that a person took the call."""
    if fields.get("step") == "leg":
        return fields.get("CallStatus") in _TAKEN
    return fields.get("DialCallStatus") in _TAKEN


def account_of(fields: Mapping[str, str], connection: Connection) -> str:
    """The number of ours that was called; callbacks that do not say carry it in our query."""
    ours = "From" if "MessageStatus" in fields else "To"
    number = fields.get("account") or fields.get(ours) or fields.get("Called") or ""
    return number or (connection.accounts[0].id if len(connection.accounts) == 1 else "")


def call_of(fields: Mapping[str, str]) -> str:
    """The caller's call; of the leg to our own phone its parent."""
    sid = fields.get("ParentCallSid") or fields.get("CallSid") or ""
    if not _SID.fullmatch(sid):
        raise _Missing("CallSid")
    return sid


def caller(fields: Mapping[str, str], connection: Connection) -> Customer:
    """Who called, by the number that the network shows; each hidden one is a customer of its own."""
    number = number_of(fields)
    spoken = language(fields, connection)
    if is_hidden(number):
        id = HIDDEN + call_of(fields)
        return Customer(id=id, address=id, language=spoken)
    return Customer(id=number, address=number, language=spoken)


def number_of(fields: Mapping[str, str]) -> str:
    """The caller's number; what our own query says of it counts, be it that there is none."""
    if "caller" in fields:
        return fields["caller"].strip()[:64]
    return (fields.get("From") or fields.get("Caller") or "").strip()[:64]


def is_hidden(number: str) -> bool:
    if number in _SPELLED:
        return True
    return not _NUMBER.fullmatch(number) and not _OTHER.fullmatch(number)


def language(fields: Mapping[str, str], connection: Connection) -> str:
    """Italian for Italian numbers, English for others; the setting where the number tells nothing."""
    country = (fields.get("FromCountry") or fields.get("CallerCountry") or "").upper()
    number = number_of(fields)
    if country in _ITALIAN or number.startswith(("+39", "+378")):
        return "it"
    if country or not is_hidden(number):
        return "en"
    return connection.settings.get("language") or "it"


def _call(fields: Mapping[str, str], account: str, connection: Connection) -> PlatformEvent:
    sid, customer = call_of(fields), caller(fields, connection)
    taken = was_taken(fields)
    if fields.get("step") == "leg" and not taken:
        return Ignored(account=account, why=f"leg {fields.get('CallStatus', '')[:32]}")
    detail = "hidden_number" if customer.id.startswith(HIDDEN) else "missed_call"
    return Inbound(
        account=account,
        customer=customer,
        id=f"{sid}:voice",
        time=None,
        kind=Kind.SERVICE if taken else Kind.CALL,
        detail="call_taken" if taken else detail,
        automatic="own_address" if customer.id in {ours.id for ours in connection.accounts} else "",
        context={"call": sid},
    )


def _recording(fields: Mapping[str, str], account: str, connection: Connection) -> PlatformEvent:
    status = fields["RecordingStatus"]
    if status != "completed":
        return Ignored(account=account, why=f"recording {status[:32]}")
    sid, url = fields.get("RecordingSid", ""), fields.get("RecordingUrl", "")
    if not _SID.fullmatch(sid) or not url:
        raise _Missing("RecordingSid")
    seconds = fields.get("RecordingDuration", "")
    voice = Media(
        kind="voice",
        id=sid,
        mime="audio/mpeg",
        seconds=int(seconds) if re.fullmatch("[0-9]{1,6}", seconds) else None,
        url=f"{url}.mp3",
        keep=connection.settings.get("keep_recordings", "yes") != "no",
    )
    return Inbound(
        account=account,
        customer=caller(fields, connection),
        id=sid,
        time=_instant(fields.get("RecordingStartTime", "")),
        kind=Kind.MEDIA,
        media=(voice,),
        detail="voicemail",
        context={"call": call_of(fields)},
    )


def _transcription(fields: Mapping[str, str], account: str, connection: Connection) -> PlatformEvent:
    """The words of a voicemail become the text of its message; a machine wrote them down."""
    text = fields.get("TranscriptionText", "").strip()
    if fields.get("TranscriptionStatus", "completed") != "completed" or not text:
        return Ignored(account=account, why=f"transcription {fields.get('TranscriptionStatus', '')[:32]}")
    customer, recording = caller(fields, connection), fields.get("RecordingSid", "")
    if recording:
        return Edit(account=account, customer=customer, original=recording, time=0, text=text)
    return Inbound(
        account=account,
        customer=customer,
        id=f"{call_of(fields)}:transcription",
        time=None,
        kind=Kind.TEXT,
        text=text,
        detail="voicemail",
        context={"call": call_of(fields)},
    )


def _instant(text: str) -> int | None:
    """RFC 2822, to the second."""
    try:
        found = parsedate_to_datetime(text)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * 1000
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
