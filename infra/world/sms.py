"""Text messages: Twilio's Messages API, AWS End User Messaging with SNS, and the customers' phones.

An account is a number; ``provider`` says whose. Kinds: ``text``, ``media`` (Twilio), ``block`` (STOP),
``unblock`` (START), ``raw`` (``Say.raw`` are parameters of the webhook). A message that was not taken is
delivered again: Twilio knows one fallback address, SNS a policy of retries.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from infra.world import sns, twilio_api
from infra.world.faults import Fault
from infra.world.files import Served, fetched
from infra.world.model import Person, PlatformAccount, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import Absent
from infra.world.twilio_api import CDN, E164, HOST, Refused, TwilioNumber, refusal
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.channels.sms_text import segments

BODY_LIMIT = 1600
FILES = 10
KINDS = frozenset({"text", "media", "block", "unblock", "raw"})
MIMES = {"image": "image/jpeg", "photo": "image/jpeg", "video": "video/mp4", "audio": "audio/amr"}
FAULT_CODES = {
    "429": 20429,
    "500": 20500,
    "token_expired": 20003,
    "blocked": 21610,
    "unknown_recipient": 21211,
}
AWS_ERRORS = {
    20429: (400, "ThrottlingException"),
    20500: (500, "InternalServerException"),
    20003: (400, "AccessDeniedException"),
    21610: (400, "ConflictException"),
    21211: (400, "ValidationException"),
    21606: (400, "ResourceNotFoundException"),
    21617: (400, "ValidationException"),
    21602: (400, "ValidationException"),
}


class SmsNumber(TwilioNumber):
    provider: Literal["twilio", "aws"] = "twilio"
    topic: str = "arn:aws:sns:us-east-1:000000000000:sms-local"
    confirmed: bool = False
    """The desk has opened the address with which SNS asks whether it wants the topic."""


class Sms(StandIn):
    name = "sms"
    hosts = (HOST, ".twiliocdn.com", "sns.us-east-1.amazonaws.com")
    services = ("sms-voice",)
    faults = frozenset(FAULT_CODES) | {"error", "failed_later"}
    account_model: ClassVar[type[PlatformAccount] | None] = SmsNumber

    # --- what the local desk starts with ---------------------------------------------------------

    def local_account(self) -> SmsNumber:
        return SmsNumber(id="+15550100100")

    def local_connection(self, account: SmsNumber) -> Mapping[str, Any]:
        twilio = account.provider == "twilio"
        settings = {"provider": account.provider, "url": account.webhook_url}
        more = {"account_sid": account.account_sid} if twilio else {"configuration_set": "local"}
        return {
            "secrets": [account.auth_token if twilio else account.topic],
            "accounts": [{"id": account.id, "role": "care", "name": "Local Desk"}],
            "settings": settings | more,
        }

    def address(self, person: Person) -> str:
        return f"+{person.wa_id}"

    # --- the platforms' APIs ----------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return call.host != HOST or twilio_api.claimed(call, self._numbers())

    def target(self, call: Call) -> Target:
        if call.aws_service or _operation(call):
            body = call.json or {}
            return Target(
                _operation(call) or "unknown",
                str(body.get("DestinationPhoneNumber", "")),
                _operation(call) == "SendTextMessage",
            )
        sends = call.path.endswith("/Messages.json") and call.method == "POST"
        to = twilio_api.fields(call).get("To", [""])[0]
        return Target("Messages" if sends else call.path.rpartition("/")[2], to, sends)

    def answer(self, call: Call) -> Answer:
        if _operation(call):
            return self._answer_aws(call)
        if call.host.startswith("sns."):
            return self._answer_sns(call)
        try:
            found = twilio_api.resource(call, self._numbers())
            if found == "Messages.json" and call.method == "POST":
                return self._send(call)
            if found == "IncomingPhoneNumbers.json" and call.method == "GET":
                return twilio_api.numbers(self._of("twilio"), "sms", "sms_url")
            if number := re.fullmatch(r"IncomingPhoneNumbers/(PN[0-9a-f]{32})\.json", found):
                return self._change(call, number[1])
        except Refused as refused:
            return refused.answer()
        return refusal(20404)

    def fail(self, call: Call, fault: Fault) -> Answer:
        code = FAULT_CODES.get(fault.kind) or int(fault.code or "30003")
        if fault.kind == "failed_later":
            return self._send(call, fails=code) if not _operation(call) else self._send_aws(call, fails=True)
        if _operation(call):
            return _aws_error(code)
        headers = {"Retry-After": str(fault.retry_after)} if code == 20429 else None
        return refusal(code, headers)

    def _numbers(self) -> tuple[SmsNumber, ...]:
        return self.state.accounts_of(self.name)

    def _of(self, provider: str) -> list[SmsNumber]:
        return [number for number in self._numbers() if number.provider == provider]

    def _change(self, call: Call, sid: str) -> Answer:
        for number in self._of("twilio"):
            if number.sid == sid:
                url = twilio_api.fields(call).get("SmsUrl", [number.webhook_url])[0]
                self.state.keep_account(self.name, number.model_copy(update={"webhook_url": url}))
                return json_answer(200, {"sid": sid, "sms_url": url})
        raise Refused(20404)

    def _send(self, call: Call, fails: int = 0) -> Answer:
        fields = twilio_api.fields(call)
        files = tuple(file for url in fields.get("MediaUrl", []) if (file := fetched(url)))
        if len(files) != len(fields.get("MediaUrl", [])):
            raise Refused(21620)
        with self.state.lock:
            number, to, text = self._checked(fields)
            sid = ("MM" if files else "SM") + uuid.uuid4().hex
            status = "failed" if fails else "queued"
            shown = Shown(
                id=sid, direction="out", text=text, file=files[0] if files else None,
                time=self.state.now(), account=number.id, status=status,
            )  # fmt: skip
            if not fails:
                self.state.show(self.name, to, shown)
        callback = fields.get("StatusCallback", [""])[0]
        steps = ["undelivered"] if fails else ["sent", "delivered"]
        if callback and self.state.options.receipts != "off":
            for step, word in enumerate(steps):
                form = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": word, "SmsStatus": word, "To": to}
                form |= {"From": number.id, "AccountSid": number.account_sid, "ApiVersion": "2010-04-01"}
                form |= {"ErrorCode": str(fails)} if fails else {}
                id = f"sms-{self.state.next('sms webhooks')}"
                told = twilio_api.webhook(number, self.name, form, id=id, address=to, url=callback)
                self.post(told, 0.05 * (step + 1))
        value = {"sid": sid, "status": "queued", "num_segments": str(segments(text)), "error_code": None}
        return json_answer(201, value | {"to": to, "from": number.id}, id=sid)

    def _checked(self, fields: Mapping[str, list[str]]) -> tuple[SmsNumber, str, str]:
        to, text = fields.get("To", [""])[0], fields.get("Body", [""])[0]
        number = next((one for one in self._of("twilio") if one.id == fields.get("From", [""])[0]), None)
        if not E164.fullmatch(to):
            raise Refused(21211)
        if number is None:
            raise Refused(21606)
        if not text.strip() and "MediaUrl" not in fields:
            raise Refused(21602)
        if len(text) > BODY_LIMIT:
            raise Refused(21617)
        if len(fields.get("MediaUrl", [])) > FILES:
            raise Refused(21623)
        if not all(twilio_api.usable(url) for url in fields.get("StatusCallback", [])):
            raise Refused(21609)
        self._check_opted_in(number.id, to)
        return number, to, text

    def _check_opted_in(self, number: str, to: str) -> None:
        talk = self.state.talk(self.name, number, to)
        if talk is not None and talk.blocked:
            raise Refused(21610)

    # --- AWS ---------------------------------------------------------------------------------------

    def _answer_aws(self, call: Call) -> Answer:
        if _operation(call) == "SendTextMessage":
            return self._send_aws(call)
        if _operation(call) == "DescribePhoneNumbers":
            listed = [
                {"PhoneNumber": one.id, "TwoWayEnabled": True, "TwoWayChannelArn": one.topic}
                for one in self._of("aws")
            ]
            return json_answer(200, {"PhoneNumbers": listed})
        return _aws_error(21211)

    def _send_aws(self, call: Call, *, fails: bool = False) -> Answer:
        body = call.json or {}
        to, text = str(body.get("DestinationPhoneNumber", "")), str(body.get("MessageBody", ""))
        number = next((one for one in self._of("aws") if one.id == body.get("OriginationIdentity")), None)
        if number is None:
            return _aws_error(21606)
        if not E164.fullmatch(to) or not text.strip() or len(text) > BODY_LIMIT:
            return _aws_error(21211)
        try:
            self._check_opted_in(number.id, to)
        except Refused as refused:
            return _aws_error(refused.code)
        id = str(uuid.uuid4())
        if not fails:
            shown = Shown(id=id, direction="out", text=text, time=self.state.now(), account=number.id)
            self.state.show(self.name, to, shown)
        if body.get("ConfigurationSetName") and self.state.options.receipts != "off":
            words = ["CARRIER_UNREACHABLE"] if fails else ["SUCCESSFUL", "DELIVERED"]
            for step, word in enumerate(words):
                told = self._event(number, to, id, word, body.get("Context"))
                self.post(told, 0.05 * (step + 1))
        return json_answer(200, {"MessageId": id}, id=id)

    def _event(self, number: SmsNumber, to: str, id: str, word: str, context: Any) -> Webhook:
        event = {
            "eventType": f"TEXT_{word}",
            "eventVersion": "1.0",
            "eventTimestamp": self.state.now(),
            "isFinal": word != "SUCCESSFUL",
            "originationPhoneNumber": number.id,
            "destinationPhoneNumber": to,
            "messageId": id,
            "messageStatus": word,
        } | ({"context": context} if context else {})
        return self._notice(number, to, event, id)

    def _answer_sns(self, call: Call) -> Answer:
        if call.path == sns.CERTIFICATE:
            return Answer(200, sns.certificate(), "application/x-pem-file")
        if call.query.get("Action") == "ConfirmSubscription" and call.query.get("Token") == "local-token":
            for number in self._of("aws"):
                if number.topic == call.query.get("TopicArn"):
                    self.state.keep_account(self.name, number.model_copy(update={"confirmed": True}))
                    return Answer(200, b"<ConfirmSubscriptionResponse/>", "text/xml")
        return Answer(403, b"", "text/xml", code="AuthorizationError")

    # --- customers ---------------------------------------------------------------------------------

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        """With AWS, ``raw`` of ``{"confirm": true}`` is SNS's question whether we want the topic."""
        if say.kind not in KINDS:
            raise self.unknown_kind(say, KINDS)
        number: SmsNumber = self.state.account(self.name, say.account)
        address = self.address(self.state.person(say.sender))
        if number.provider == "aws" and say.kind == "raw" and say.raw.get("confirm"):
            return self._sns_webhook(
                number, address, sns.confirmation(number.topic, "local-token", self.state.now())
            ), ""
        text = {"block": "STOP", "unblock": "START"}.get(say.kind, say.text)
        if say.kind in ("block", "unblock"):
            self.state.keep_talk(self.name, number.id, address, blocked=say.kind == "block")
        build = self._by_twilio if number.provider == "twilio" else self._by_aws
        webhook = build(number, address, text, say)
        shown = Shown(
            id=webhook.message_id, direction="in", kind=say.kind, text=text,
            time=self.state.now(), account=number.id,
        )  # fmt: skip
        self.state.show(self.name, address, shown)
        return webhook, "" if number.webhook_url else "no webhook is set"

    def _by_twilio(self, number: SmsNumber, address: str, text: str, say: Say) -> Webhook:
        sid = ("MM" if say.kind == "media" else "SM") + uuid.uuid4().hex
        form = {
            "ToCountry": "US", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "",
            "FromZip": "", "SmsSid": sid, "FromState": "", "SmsStatus": "received", "FromCity": "",
            "Body": text,
            "FromCountry": "US", "To": number.id, "ToZip": "", "NumSegments": str(segments(text)),
            "MessageSid": sid, "AccountSid": number.account_sid, "From": address, "ApiVersion": "2010-04-01",
        }  # fmt: skip
        if say.kind == "media":
            form |= self._file(number, sid, say)
        if say.kind in ("block", "unblock"):
            form["OptOutType"] = text
        form |= {name: str(value) for name, value in say.raw.items()} if say.kind == "raw" else {}
        id = f"sms-{self.state.next('sms webhooks')}"
        return twilio_api.webhook(number, self.name, form, id=id, address=address)

    def _file(self, number: SmsNumber, sid: str, say: Say) -> dict[str, str]:
        """The API asks for our credentials and sends on to where the file lies."""
        mime = say.more.get("mime") or MIMES.get(say.media or "image", "application/pdf")
        file = f"ME{uuid.uuid4().hex}"
        url = f"https://{HOST}/2010-04-01/Accounts/{number.account_sid}/Messages/{sid}/Media/{file}"
        storage = f"https://{CDN}/{number.account_sid}/{file}"
        self.serve(storage, mime, say)
        pointer = Served(channel=self.name, redirect=storage, authorization=number.authorization)
        self.state.serve(url, pointer)
        return {"NumMedia": "1", "MediaUrl0": url, "MediaContentType0": mime}

    def _by_aws(self, number: SmsNumber, address: str, text: str, say: Say) -> Webhook:
        if say.kind == "media":
            raise Absent("AWS takes no files from customers")
        id = str(uuid.uuid4())
        message = {
            "originationNumber": address,
            "destinationNumber": number.id,
            "messageKeyword": "KEYWORD_000000000000",
            "messageBody": text,
            "inboundMessageId": id,
        } | (dict(say.raw) if say.kind == "raw" else {})
        return self._notice(number, address, message, id)

    def _notice(self, number: SmsNumber, address: str, message: Mapping[str, Any], id: str) -> Webhook:
        body = sns.envelope(number.topic, message, self.state.now())
        return self._sns_webhook(number, address, body, id)

    def _sns_webhook(
        self, number: SmsNumber, address: str, body: dict[str, Any], message_id: str = ""
    ) -> Webhook:
        return Webhook(
            id=f"sms-{self.state.next('sms webhooks')}",
            channel=self.name,
            account=number.id,
            address=address,
            message_id=message_id,
            url=number.webhook_url,
            headers=sns.headers(body),
            body=json.dumps(body),
        )


def _operation(call: Call) -> str:
    target = call.headers.get("x-amz-target", "")
    return target.removeprefix("PinpointSMSVoiceV2.") if target.startswith("PinpointSMSVoiceV2.") else ""


def _aws_error(code: int) -> Answer:
    status, name = AWS_ERRORS.get(code, (400, "ValidationException"))
    value = {"__type": f"com.amazonaws.smsvoice#{name}", "Message": name}
    return json_answer(status, value, code=name)
