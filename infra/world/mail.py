"""Amazon SES v2 ``SendEmail`` and the mailboxes behind it.

Source: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.
"""

import base64
import binascii
import email
import re
import uuid
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import default as mail_policy
from email.utils import getaddresses, parseaddr
from typing import Any

from infra.world.faults import Fault
from infra.world.model import Letter
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, json_answer

PATH = "/v2/email/outbound-emails"
RECIPIENTS = 50
ADDRESS = re.compile(r"[^\s@<>,;\"()]{1,64}@[A-Za-z0-9.-]{1,255}")
PRINTABLE = re.compile(r"[\x20-\x7e]*")
SES_OWN = frozenset(
    {"bcc", "cc", "content-type", "date", "from", "message-id", "mime-version", "reply-to", "return-path",
     "sender", "subject", "to"}
)  # fmt: skip
FAULTS = {
    "429": (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    "throttled": (429, "TooManyRequestsException", "Maximum sending rate exceeded."),
    "500": (500, "InternalServiceErrorException", "Internal failure."),
    "limit": (400, "LimitExceededException", "Daily message quota exceeded."),
    "paused": (400, "SendingPausedException", "Sending is paused for this account."),
    "suspended": (400, "AccountSuspendedException", "The account is suspended."),
    "rejected": (400, "MessageRejected", "Email address is not verified."),
    "token_expired": (403, "ExpiredTokenException", "The security token included in the request is expired"),
}


class Invalid(Exception):
    """The request is refused with this exception of SES."""

    def __init__(self, message: str, name: str = "BadRequestException") -> None:
        self.name = name
        super().__init__(message)


class Mail(StandIn):
    name = "mail"
    services = ("ses",)
    faults = frozenset(FAULTS)

    def target(self, call: Call) -> Target:
        destination = (call.json or {}).get("Destination")
        to = destination.get("ToAddresses") if isinstance(destination, dict) else None
        first = parseaddr(str(to[0]))[1] if isinstance(to, list) and to else ""
        return Target("SendEmail", first, sends=True)

    def answer(self, call: Call) -> Answer:
        if call.method != "POST" or call.path != PATH:
            return _error(404, "UnknownOperationException", "Unknown operation")
        authorization = call.headers.get("authorization", "")
        if not authorization.startswith("AWS4-HMAC-SHA256 Credential=") or "x-amz-date" not in call.headers:
            return _error(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        try:
            letter, boxes = self._letter(call.json)
        except Invalid as invalid:
            return _error(400, invalid.name, str(invalid))
        with self.state.lock:
            for box in boxes:
                self.state.mail.setdefault(box, []).append(letter)
            self.state.changed = True
        return json_answer(200, {"MessageId": letter.id}, id=letter.id)

    def fail(self, call: Call, fault: Fault) -> Answer:
        return _error(*FAULTS[fault.kind])

    def _letter(self, request: dict[str, Any] | None) -> tuple[Letter, tuple[str, ...]]:
        """The letter, and the mailboxes it goes to."""
        if request is None:
            raise Invalid("Unable to parse request", "SerializationException")
        content = request.get("Content")
        forms = [
            name for name in ("Simple", "Raw", "Template") if isinstance(content, dict) and name in content
        ]
        if len(forms) != 1 or not isinstance(content, dict):
            raise Invalid("Content must have exactly one of Simple, Raw, Template")
        if forms == ["Template"]:
            raise Invalid("Template does not exist", "NotFoundException")
        letter = _simple(request, content["Simple"]) if forms == ["Simple"] else _raw(request, content["Raw"])
        destination = request.get("Destination") or {}
        lists = [_addresses(destination.get(f"{name}Addresses"), name) for name in ("To", "Cc", "Bcc")]
        every = tuple(dict.fromkeys(_boxes(address for listed in lists for address in listed)))
        if not every and forms == ["Raw"]:
            every = _boxes((*letter.to, *letter.cc))
        if not every:
            raise Invalid("There must be at least one recipient")
        if len(every) > RECIPIENTS:
            raise Invalid(f"Recipient count exceeds {RECIPIENTS}")
        self._check_sender(letter.sender)
        identity = {"id": _new_id(), "time": self.state.now()}
        return letter.model_copy(update=identity), every

    def _check_sender(self, sender: str) -> None:
        box = _boxes([sender])[0]
        verified = self.state.options.verified_senders
        if verified and box not in verified and box.rpartition("@")[2] not in verified:
            text = f"Email address is not verified. The following identities failed the check: {box}"
            raise Invalid(text, "MessageRejected")


def _simple(request: dict[str, Any], simple: Any) -> Letter:
    if not isinstance(simple, dict):
        raise Invalid("Simple must be a structure")
    subject = _data(simple.get("Subject"), "Subject")
    if "\r" in subject or "\n" in subject:
        raise Invalid("Subject must not contain line breaks")
    body = simple.get("Body")
    if not isinstance(body, dict) or not body.keys() & {"Text", "Html"}:
        raise Invalid("Body must have Text or Html")
    destination = request.get("Destination") or {}
    return Letter(
        id="",
        time=0,
        sender=_address(request.get("FromEmailAddress"), "FromEmailAddress"),
        to=_addresses(destination.get("ToAddresses"), "To"),
        cc=_addresses(destination.get("CcAddresses"), "Cc"),
        reply_to=_addresses(request.get("ReplyToAddresses"), "ReplyTo"),
        subject=subject,
        text=_data(body["Text"], "Text") if "Text" in body else "",
        html=_data(body["Html"], "Html") if "Html" in body else "",
        headers=_headers(simple.get("Headers") or []),
    )


def _raw(request: dict[str, Any], raw: Any) -> Letter:
    try:
        data = base64.b64decode(raw["Data"], validate=True)
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise Invalid("Raw.Data must be base64", "SerializationException") from None
    message = email.message_from_bytes(data, policy=mail_policy)
    if not isinstance(message, EmailMessage) or message.defects or not message.keys():
        raise Invalid("Raw.Data is not a MIME message")
    sender = request.get("FromEmailAddress") or message.get("From")
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return Letter(
        id="",
        time=0,
        sender=_address(sender, "From"),
        to=tuple(message.get_all("To", [])),
        cc=tuple(message.get_all("Cc", [])),
        reply_to=tuple(message.get_all("Reply-To", [])),
        subject=str(message.get("Subject", "")),
        text=plain.get_content() if plain else "",
        html=html.get_content() if html else "",
        headers={name: str(value) for name, value in message.items()},
        raw=data.decode("utf-8", "replace"),
    )


def _data(value: Any, name: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("Data"), str) or not value["Data"]:
        raise Invalid(f"{name} must have Data")
    return str(value["Data"])


def _headers(headers: Any) -> dict[str, str]:
    if not isinstance(headers, list) or len(headers) > 15:
        raise Invalid("Headers must be a list of at most 15")
    for header in headers:
        name, value = str(header.get("Name", "")), str(header.get("Value", ""))
        if not re.fullmatch(r"[\x21-\x39\x3b-\x7e]{1,126}", name) or name.lower() in SES_OWN:
            raise Invalid("A header name is not allowed")
        if not value or len(value) > 995 or not PRINTABLE.fullmatch(value):
            raise Invalid("A header value must be 1 to 995 printable ASCII characters")
    return {header["Name"]: header["Value"] for header in headers}


def _addresses(values: Any, name: str) -> tuple[str, ...]:
    if values is not None and not isinstance(values, list):
        raise Invalid(f"{name} must be a list of addresses")
    return tuple(_address(value, name) for value in values or ())


def _address(value: Any, name: str) -> str:
    """One address as it was given, after checking it; SES wants display names encoded."""
    text = str(value or "")
    if not PRINTABLE.fullmatch(text):
        raise Invalid(f"{name}: an address contains control or non-ASCII characters")
    if len(_boxes([text])) != 1 or not ADDRESS.fullmatch(_boxes([text])[0]):
        raise Invalid(f"{name}: missing or malformed address")
    return text


def _boxes(addresses: Iterable[str]) -> tuple[str, ...]:
    """The bare mailboxes, in lower case, without display names."""
    return tuple(box.lower() for _, box in getaddresses(list(addresses)) if box)


def _new_id() -> str:
    return f"0100{uuid.uuid4().hex[:12]}-{uuid.uuid4()}-000000"


def _error(status: int, name: str, message: str) -> Answer:
    return json_answer(status, {"message": message}, code=name, headers={"x-amzn-errortype": name})
