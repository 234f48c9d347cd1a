"""Amazon SES on the customers' side: their mailboxes, and what SES does with what they write.

A mail from a customer goes the way that SES takes: into the bucket, then the mail function is called
with its receipt. ``Say.more`` knows ``subject``, ``html``, ``to`` (envelope recipients), ``source``
(envelope sender), ``sender`` (the From line), ``headers`` (further ones, a line each), ``mime`` (kind
``raw``: the whole mail), ``quoting`` (``no``: an answer without what it answers) and the verdicts
``spam``, ``virus``, ``dmarc``. A reply goes to the newest mail of ours; ``subject`` begins a new one.
"""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar
from urllib.parse import unquote

import boto3
from botocore.config import Config

from infra.world.email_mailbox import REGION, letter_shown, written
from infra.world.faults import Fault
from infra.world.mail import Mail
from infra.world.model import Letter, Person, PlatformAccount, Say, Shown, Webhook
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.domain.model import Instant, to_datetime

PREFIX = "inbound-mail/"
FUNCTION = "EmailFunction"
ACCOUNT = "/v2/email/account"
IDENTITIES = "/v2/email/identities/"
KINDS = frozenset({"text", "media", "raw", "unsupported", "block"})
BOUNCE = "bounce"
COMPLAIN = "complain"
ABSENT = "absent"
LATER = {BOUNCE: "Bounce", COMPLAIN: "Complaint", ABSENT: "Absent"}
"""Faults after SES has taken a mail, and the event that tells of them."""


class MailAccount(PlatformAccount):
    """``id`` is the address; ``webhook_url`` the bucket, with the engine's address in front."""

    name: str = "Local Desk"


class Email(Mail):
    name = "email"
    services = ("ses",)
    faults = Mail.faults | LATER.keys()
    account_model: ClassVar[type[PlatformAccount] | None] = MailAccount
    webhooks = False

    # --- what we send ---------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        """Questions, and mail as one of the accounts; all other mail is the desk's own."""
        if call.method == "GET":
            return True
        request = call.json or {}
        content = request.get("Content")
        sender = str(request.get("FromEmailAddress", "")).lower()
        known = {account.id for account in self.state.accounts_of(self.name)}
        return isinstance(content, dict) and "Raw" in content and sender in known

    def target(self, call: Call) -> Target:
        return (
            super().target(call) if call.method == "POST" else Target(call.path.rpartition("/v2/email/")[2])
        )

    def answer(self, call: Call) -> Answer:
        if call.method == "GET":
            return self._told(call.path)
        answer = super().answer(call)
        if answer.status == 200 and (letter := self._newest(answer.id)):
            self._shown(call, letter)
            if self.state.options.receipts != "off":
                self._tell(call, letter, "Send", 0.02)
                self._tell(call, letter, "Delivery", 0.05)
        return answer

    def _told(self, path: str) -> Answer:
        """``GetEmailIdentity``, ``GetAccount``: the accounts' domains are verified, mail goes to anybody."""
        if path == ACCOUNT:
            return json_answer(200, {"SendingEnabled": True, "ProductionAccessEnabled": True})
        known = {account.id.rpartition("@")[2] for account in self.state.accounts_of(self.name)}
        if unquote(path.removeprefix(IDENTITIES)) in known:
            return json_answer(200, {"VerifiedForSendingStatus": True, "IdentityType": "DOMAIN"})
        missing = {"message": "Email identity does not exist."}
        return json_answer(
            404, missing, code="NotFoundException", headers={"x-amzn-errortype": "NotFoundException"}
        )

    def fail(self, call: Call, fault: Fault) -> Answer:
        if fault.kind not in LATER:
            return super().fail(call, fault)
        answer = super().answer(call)
        if letter := self._newest(answer.id):
            if fault.kind == BOUNCE:
                self._take_back(letter)
            else:
                self._shown(call, letter)
            self._tell(call, letter, LATER[fault.kind], 0.02)
        return answer

    def _newest(self, id: str) -> Letter | None:
        with self.state.lock:
            letters = (letter for box in self.state.mail.values() for letter in reversed(box))
            return next((letter for letter in letters if letter.id == id), None)

    def _take_back(self, letter: Letter) -> None:
        """There is no such mailbox."""
        with self.state.lock:
            for box in self.state.mail.values():
                if letter in box:
                    box.remove(letter)

    def _shown(self, call: Call, letter: Letter) -> None:
        address = self.target(call).address.lower()
        self.state.person(address)
        self.state.show(self.name, address, letter_shown(letter))

    def _tell(self, call: Call, letter: Letter, kind: str, seconds: float) -> None:
        """What became of it, as EventBridge brings it to the function."""
        account = self.state.account(self.name, str((call.json or {})["FromEmailAddress"]).lower())
        tags = {tag["Name"]: [tag["Value"]] for tag in (call.json or {}).get("EmailTags", ())}
        address = self.target(call).address
        moment = _iso(self.state.now())
        detail: dict[str, Any] = {
            "eventType": "Bounce" if kind == "Absent" else kind,
            "mail": {
                "timestamp": moment,
                "source": account.id,
                "messageId": letter.id,
                "destination": [address],
                "tags": tags,
            },
        }
        recipient = {"emailAddress": address}
        match kind:
            case "Send":
                detail["send"] = {}
            case "Delivery":
                detail["delivery"] = {"timestamp": moment, "recipients": [address], "smtpResponse": "250 OK"}
            case "Complaint":
                detail["complaint"] = {
                    "timestamp": moment,
                    "feedbackId": uuid.uuid4().hex,
                    "complainedRecipients": [recipient],
                }
            case _:
                absent = kind == "Absent"
                failed = {**recipient, "action": "failed", "status": "5.1.1"}
                detail["bounce"] = {
                    "timestamp": moment,
                    "feedbackId": uuid.uuid4().hex,
                    "bounceType": "Transient" if absent else "Permanent",
                    "bounceSubType": "General",
                    "bouncedRecipients": [recipient if absent else failed],
                }
        body = json.dumps({"source": "aws.ses", "detail-type": f"Email {kind}", "detail": detail})
        self.post(
            self._webhook(account, address, body.encode(), {"content-type": "application/json"}), seconds
        )

    # --- what customers write -----------------------------------------------------------------------

    def local_account(self) -> MailAccount:
        return MailAccount(id="info@desk.example.com")

    def local_connection(self, account: MailAccount) -> Mapping[str, Any]:
        return {
            "secrets": ["local-desk-unused"],
            "accounts": [{"id": account.id, "role": "care", "name": account.name}],
            "settings": {
                "addresses": account.id,
                "name": account.name,
                "forwarded": "in@desk.example.com=info@desk.example.com",
            },
        }

    def address(self, person: Person) -> str:
        return f"customer.{person.number}@mail.example.net"

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        if say.kind not in KINDS:
            raise self.unknown_kind(say, KINDS)
        account: MailAccount = self.state.account(self.name, say.account)
        person = self.state.person(say.sender)
        address = self.address(person)
        id = f"{uuid.uuid4().hex}@mail.example.net"
        time = say.at or self.state.now()
        if say.kind == "block":
            return self._complaint(account, address), ""
        answered = None if "subject" in say.more else self.state.newest(self.name, address, direction="out")
        raw = (
            say.more["mime"].encode()
            if say.kind == "raw"
            else written(say, person, address, account, id, time, answered)
        )
        self.state.show(
            self.name,
            address,
            Shown(id=id, direction="in", kind=say.kind, text=say.text, time=time, account=account.id),
        )
        return self._webhook(account, address, raw, _receipt(say, account, address, time), id), ""

    def _complaint(self, account: MailAccount, address: str) -> Webhook:
        moment = _iso(self.state.now())
        detail = {
            "eventType": "Complaint",
            "mail": {
                "timestamp": moment,
                "source": account.id,
                "messageId": uuid.uuid4().hex,
                "destination": [address],
            },
            "complaint": {
                "timestamp": moment,
                "feedbackId": uuid.uuid4().hex,
                "complainedRecipients": [{"emailAddress": address}],
            },
        }
        body = json.dumps({"source": "aws.ses", "detail": detail}).encode()
        return self._webhook(account, address, body, {"content-type": "application/json"})

    def _webhook(
        self, account: MailAccount, address: str, body: bytes, headers: dict[str, str], message_id: str = ""
    ) -> Webhook:
        return Webhook(
            id=f"ses{uuid.uuid4().hex}",
            channel=self.name,
            account=account.id,
            address=address,
            message_id=message_id,
            url=account.webhook_url,
            headers=headers,
            body=base64.b64encode(body).decode("ascii"),
            body_base64=True,
        )

    def deliver(self, webhook: Webhook) -> int | None:
        """A mail into the bucket and its receipt to the function; an event straight to the function."""
        endpoint, _, bucket = webhook.url.rpartition("/")
        aws = _clients(endpoint)
        if webhook.headers["content-type"] == "application/json":
            return _invoke(aws, json.loads(webhook.content))
        aws("s3").put_object(Bucket=bucket, Key=f"{PREFIX}{webhook.id}", Body=webhook.content)
        receipt = json.loads(webhook.headers["receipt"])
        sent = {
            "timestamp": receipt["timestamp"],
            "source": webhook.headers["source"],
            "messageId": webhook.id,
            "destination": receipt["recipients"],
        }
        record = {"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": sent, "receipt": receipt}}
        return _invoke(aws, {"Records": [record]})


def _receipt(say: Say, account: MailAccount, address: str, time: Instant) -> dict[str, str]:
    verdicts = {
        f"{name}Verdict": {"status": say.more.get(name, "PASS")}
        for name in ("spam", "virus", "spf", "dkim", "dmarc")
    }
    recipients = say.more.get("to", account.id).split(",")
    receipt = {"timestamp": _iso(time), "recipients": [one.strip() for one in recipients], **verdicts}
    if say.more.get("dmarc") == "FAIL":
        receipt["dmarcPolicy"] = say.more.get("policy", "reject")
    return {
        "content-type": "message/rfc822",
        "source": say.more.get("source", address),
        "receipt": json.dumps(receipt),
    }


@cache
def _clients(endpoint: str) -> Callable[[str], Any]:
    """Clients of the engine, as its root user."""

    @cache
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the engine's root user, on loopback
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60),
        )

    return client


def _invoke(aws: Callable[[str], Any], event: Mapping[str, Any]) -> int:
    """SES does not wait for the end; here the answer tells the customer's side whether it went well."""
    answer = aws("lambda").invoke(FunctionName=_function(aws), Payload=json.dumps(event).encode())
    return 500 if "FunctionError" in answer else 200


@cache
def _function(aws: Callable[[str], Any]) -> str:
    pages = aws("lambda").get_paginator("list_functions").paginate()
    names = [str(one["FunctionName"]) for page in pages for one in page["Functions"]]
    return next(name for name in names if FUNCTION in name)


def _iso(time: Instant) -> str:
    return to_datetime(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")
