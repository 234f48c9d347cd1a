"""How payloads of others reach a webhook, where they were published without what carries them."""

import json
import re
from urllib.parse import urlencode

from tests.contract.corpus import Payload

SAMPLES_OF = {"sms-twilio": "sms", "sms-aws": "sms/aws", "phone": "voice", "email-ses": "email"}
"""Folders of payloads whose channel has another name; with the samples whose connection reads them."""


def on_the_wire(payload: Payload) -> bytes:
    if payload.channel == "sms-twilio" and payload.body.startswith(b"{"):
        return urlencode(json.loads(payload.body)).encode()  # published as names and values
    if payload.channel == "email" and not _MAIL.search(payload.body[:4000]):
        return _as_mail(payload.body)
    if payload.channel == "sms-aws":
        return _from_sns(json.loads(payload.body))
    return payload.body


_MAIL = re.compile(rb"^(?:message-id|mime-version|received|return-path|delivered-to):", re.I | re.M)


def _as_mail(text: bytes) -> bytes:
    """The text alone was published."""
    kind = b"html" if text.lstrip()[:1] == b"<" else b"plain"
    header = b"From: a@example.net\r\nSubject: Re: x\r\nReferences: <x@example.net>\r\n"
    return header + b"Content-Type: text/" + kind + b"; charset=utf-8\r\n\r\n" + text


def _from_sns(published: dict[str, object]) -> bytes:
    """The message alone was published, or the event of a Lambda subscription."""
    records = published.get("Records")
    if isinstance(records, list):
        return json.dumps(records[0]["Sns"]).encode()
    envelope = {
        "Type": "Notification",
        "Message": json.dumps(published),
        "Timestamp": "2026-11-23T19:15:00.000Z",
    }
    return json.dumps(envelope).encode()
