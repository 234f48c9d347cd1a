"""What SES attests of a mail that it received, and which of our mailboxes the mail is for.

The request that the mail function makes of a delivery has the raw message as its body and these headers,
taken from the receipt that SES hands over (never from the message itself, which anybody can write):

    content-type     message/rfc822; application/json for an event of SES
    x-ses-id         SES's id of the delivery
    x-ses-time       when SES took it, e.g. 2026-11-23T19:15:00.000Z
    x-ses-source     envelope sender; present and empty for a bounce
    x-ses-recipients envelope recipients that the rule matched, comma separated
    x-ses-spam, -virus, -spf, -dkim, -dmarc   PASS, FAIL, GRAY, PROCESSING_FAILED, DISABLED
    x-ses-dmarc-policy   none, quarantine, reject; only where DMARC failed
    x-ses-object     S3 key of the whole message

Where they are missing (a message put back from quarantine), what SES wrote on top of the message counts.

Source: docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sportello.channels.base import Connection, Request
from sportello.channels.email_wire import Mail, mailboxes
from sportello.domain.model import Instant, Model, to_datetime, to_instant

VERDICTS = ("spam", "virus", "spf", "dkim", "dmarc")


class Attested(Model):
    id: str = ""
    source: str | None = None
    """None: nobody knows it."""
    recipients: tuple[str, ...] = ()
    spam: str = ""
    virus: str = ""
    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    dmarc_policy: str = ""
    time: Instant = 0
    object: str = ""

    @property
    def authenticated(self) -> bool:
        """The domain in ``From`` stands for this mail."""
        return self.dmarc == "PASS"

    @property
    def forged(self) -> bool:
        """The domain in ``From`` asks everybody not to believe this mail."""
        return self.dmarc == "FAIL" and self.dmarc_policy in ("quarantine", "reject")

    @property
    def suspicious(self) -> bool:
        return "FAIL" in (self.spam, self.virus)


def attested(request: Request, mail: Mail) -> Attested:
    headers = request.headers
    if "x-ses-id" not in headers:
        return _on_top(mail).model_copy(update={"object": headers.get("x-ses-object", "")})
    return Attested(
        id=headers["x-ses-id"],
        source=headers.get("x-ses-source"),
        recipients=_addresses(headers.get("x-ses-recipients", "")),
        dmarc_policy=headers.get("x-ses-dmarc-policy", "").lower(),
        time=_time(headers.get("x-ses-time", "")),
        object=headers.get("x-ses-object", ""),
        **{name: headers.get(f"x-ses-{name}", "").upper() for name in VERDICTS},
    )


def as_headers(attested: Attested) -> dict[str, str]:
    """The headers of the request: what ``attested`` reads."""
    headers = {
        "content-type": "message/rfc822",
        "x-ses-id": attested.id,
        "x-ses-time": to_datetime(attested.time).isoformat() if attested.time else "",
        "x-ses-recipients": ", ".join(attested.recipients),
        "x-ses-dmarc-policy": attested.dmarc_policy,
        "x-ses-object": attested.object,
        **{f"x-ses-{name}": getattr(attested, name) for name in VERDICTS},
    }
    given = {name: value for name, value in headers.items() if value}
    return given | ({} if attested.source is None else {"x-ses-source": attested.source})


def of_receipt(event: Mapping[str, Any], key: str = "") -> Attested:
    """``{"mail", "receipt"}`` as SES hands it to a function or a topic; ``key`` is the message's in S3."""
    sent, receipt = _record(event, "mail"), _record(event, "receipt")
    recipients = receipt.get("recipients") or sent.get("destination") or ()
    source = _word(sent, "source")
    return Attested(
        id=_word(sent, "messageId"),
        source="" if source in ("", "<>") else source,
        recipients=tuple(address for address in recipients if isinstance(address, str)),
        dmarc_policy=_word(receipt, "dmarcPolicy").lower(),
        time=_time(_word(sent, "timestamp")),
        object=key,
        **{name: _word(_record(receipt, f"{name}Verdict"), "status").upper() for name in VERDICTS},
    )


def _record(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _word(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _time(text: str) -> Instant:
    """0 where it is none."""
    try:
        return to_instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return 0


_RECEIVED = re.compile(
    r"\bby inbound-smtp\.[a-z0-9-]+\.amazonaws\.com\b.{0,80}?\bid (\w+)(?:.{0,40}? for <?([^\s>;]+))?"
)
_RESULT = re.compile(r"(?:^|;)\s*(spf|dkim|dmarc)=(\w+)")


def _results(text: str) -> dict[str, str]:
    """A check has passed where nothing else is said of it.

    The envelope sender stands among the results, and an address may be called ``dmarc=pass@example.com``.
    """
    found: dict[str, str] = {}
    for name, result in _RESULT.findall(text):
        if name not in found or result != "pass":
            found[name] = result
    return found


def _on_top(mail: Mail) -> Attested:
    """SES's own headers of a stored message; they count only where SES received it, and each once."""
    received = _RECEIVED.search(mail.one("received"))
    if received is None:
        return Attested(source=_return_path(mail))
    results = _results(mail.one("authentication-results").lower())
    return Attested(
        id=received[1],
        source=_return_path(mail),
        recipients=_addresses(received[2] or ""),
        spam=mail.one("x-ses-spam-verdict").upper(),
        virus=mail.one("x-ses-virus-verdict").upper(),
        **{name: result.upper() for name, result in results.items()},
    )


def _return_path(mail: Mail) -> str | None:
    if not mail.has("return-path"):
        return None
    boxes = mail.mailboxes("return-path")
    return boxes[0].address if boxes else ""


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(box.key for box in mailboxes(text))


# --- our mailboxes --------------------------------------------------------------------------------


class Mailboxes:
    """Addresses of one connection: those it answers as, and those that mail is forwarded to."""

    def __init__(self, connection: Connection) -> None:
        self.accounts = {account.id.lower(): account.id for account in connection.accounts}
        self._forwarded = pairs(connection.settings.get("forwarded", ""))
        self.forwarders = frozenset(
            address.lower()
            for address in re.split(r"[\s,;]+", connection.settings.get("forwarders", ""))
            if address
        )
        """People whose own forwards are taken for the mail inside."""

    @property
    def own(self) -> frozenset[str]:
        """What we write as or receive at: mail from there is our own."""
        return frozenset(self.accounts) | frozenset(self._forwarded)

    @property
    def domains(self) -> frozenset[str]:
        return frozenset(address.rpartition("@")[2] for address in self.accounts)

    def account(self, recipient: str) -> str:
        """The account that answers what came to this address; empty: it is not of this connection."""
        address = recipient.lower()
        for candidate in (address, _without_tag(address)):
            if candidate in self.accounts:
                return self.accounts[candidate]
            if (answering := self._forwarded.get(candidate, "")) in self.accounts:
                return self.accounts[answering]
        return ""

    def is_forwarded(self, recipient: str) -> bool:
        """Whether a mailbox elsewhere sends its mail on to this address."""
        return recipient.lower() in self._forwarded or _without_tag(recipient.lower()) in self._forwarded

    def among(self, recipients: tuple[str, ...]) -> dict[str, bool]:
        """The accounts that recipients lead to, in their order; and whether only by forwarding."""
        found: dict[str, bool] = {}
        for recipient in recipients:
            if account := self.account(recipient):
                found[account] = found.get(account, True) and self.is_forwarded(recipient)
        return found


def pairs(text: str) -> Mapping[str, str]:
    """``in@desk.example.com=info@example.com, …`` in lower case."""
    found = {}
    for pair in re.split(r"[\s,;]+", text.lower()):
        receiving, equals, answering = pair.partition("=")
        if equals and "@" in receiving and "@" in answering:
            found[receiving] = answering
    return found


def _without_tag(address: str) -> str:
    """``info+order-7@example.com`` reaches ``info@example.com``."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
