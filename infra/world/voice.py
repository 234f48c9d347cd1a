"""Phone calls at Twilio: a customer calls, does what our documents say, and hears what they say.

Kind ``call`` (or ``text``): the customer calls; ``text`` is what they say after the tone. ``Say.more``:
``hidden`` (``yes``: without a number), ``answer`` (``yes``: somebody takes it where it rings),
``hangup`` (``ringing``: the customer gives up before anybody takes it; ``pause``: in the silence),
``wait`` (seconds that a silence lasts here in place of its own). The phone shows what was heard.
"""

import re
import threading
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from xml.etree import ElementTree

import urllib3

from infra.world import twilio_api
from infra.world.faults import Fault
from infra.world.files import Served, file_bytes
from infra.world.model import Person, PlatformAccount, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.twilio_api import CDN, HOST, Refused, TwilioNumber, refusal
from infra.world.wire import Answer, Call, Target, json_answer

KINDS = frozenset({"call", "text"})
FAULT_CODES = {"429": 20429, "500": 20500, "token_expired": 20003, "over": 21220}
DOCUMENT_LIMIT = 4000
HOPS = 5
SECONDS = 30.0
RECORDING = "audio/mpeg"


class VoiceNumber(TwilioNumber):
    account_sid: str = "AC" + "0" * 31 + "2"


class Line:
    """One call under way."""

    def __init__(self, number: VoiceNumber, address: str, caller: str, say: Say) -> None:
        self.sid = f"CA{uuid.uuid4().hex}"
        self.number = number
        self.address = address
        """The phone."""
        self.caller = caller
        """The number that the network shows."""
        self.say = say
        self.begun = False
        self.over = False
        self.document = 0
        """Rises with every document that takes the line over: what is left of an older one is not done."""


class Voice(StandIn):
    name = "voice"
    hosts = (HOST,)
    faults = frozenset(FAULT_CODES) | {"error"}
    account_model: ClassVar[type[PlatformAccount] | None] = VoiceNumber

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lines: dict[str, Line] = {}
        self._pool = urllib3.PoolManager(retries=False, timeout=SECONDS)

    def local_account(self) -> VoiceNumber:
        return VoiceNumber(id="+15550100110", sid="PN" + "0" * 31 + "2")

    def local_connection(self, account: VoiceNumber) -> Mapping[str, Any]:
        return {
            "secrets": [account.auth_token],
            "accounts": [{"id": account.id, "role": "care", "name": "Local Desk"}],
            "settings": {
                "account_sid": account.account_sid,
                "url": account.webhook_url,
                "forward": "+15550100119",
                "voicemail_it": "Lasci un messaggio dopo il segnale: la chiamata viene registrata.",
                "voicemail_en": "Leave a message after the tone: it will be recorded.",
                "transcribe": "yes",
            },
        }

    def address(self, person: Person) -> str:
        return f"+{person.wa_id}"

    def accepts(self, status: int, body: str) -> bool:
        """Whatever we answer: a call cannot be delivered again."""
        return True

    # --- the API -------------------------------------------------------------------------------------

    def claims(self, call: Call) -> bool:
        return twilio_api.claimed(call, self.state.accounts_of(self.name))

    def target(self, call: Call) -> Target:
        match = re.search(r"/Calls/([^/]+)\.json$", call.path)
        line = self._lines.get(match[1]) if match else None
        return Target(
            "Calls" if match else call.path.rpartition("/")[2], line.address if line else "", bool(match)
        )

    def answer(self, call: Call) -> Answer:
        numbers: Sequence[VoiceNumber] = self.state.accounts_of(self.name)
        try:
            found = twilio_api.resource(call, numbers)
            if match := re.fullmatch(r"Calls/(CA[0-9a-f]{32})\.json", found):
                return self._change(match[1], twilio_api.fields(call))
            if found == "IncomingPhoneNumbers.json" and call.method == "GET":
                return twilio_api.numbers(numbers, "voice", "voice_url")
            if match := re.fullmatch(r"IncomingPhoneNumbers/(PN[0-9a-f]{32})\.json", found):
                return self._point(match[1], twilio_api.fields(call))
        except Refused as refused:
            return refused.answer()
        return refusal(20404)

    def fail(self, call: Call, fault: Fault) -> Answer:
        code = FAULT_CODES.get(fault.kind) or int(fault.code or "21218")
        return refusal(code, {"Retry-After": str(fault.retry_after)} if code == 20429 else None)

    def _change(self, sid: str, fields: Mapping[str, list[str]]) -> Answer:
        """A new document for a call that is under way."""
        line = self._lines.get(sid)
        if line is None:
            raise Refused(20404)
        document = fields.get("Twiml", [""])[0]
        if not document or len(document) > DOCUMENT_LIMIT or _verbs(document) is None:
            raise Refused(21218)
        with self.state.lock:
            if line.over or line.say.more.get("hangup") == "pause":  # gone before any other document comes
                raise Refused(21220)
            line.document += 1
        self._later(0, line, _verbs(document) or [])
        return json_answer(200, {"sid": sid, "status": "in-progress"}, id=sid)

    def _point(self, sid: str, fields: Mapping[str, list[str]]) -> Answer:
        for number in self.state.accounts_of(self.name):
            if number.sid == sid:
                url = fields.get("VoiceUrl", [number.webhook_url])[0]
                ends = fields.get("StatusCallback", [number.status_callback])[0]
                update = {"webhook_url": url, "status_callback": ends}
                self.state.keep_account(self.name, number.model_copy(update=update))
                return json_answer(200, {"sid": sid, "voice_url": url, "status_callback": ends})
        raise Refused(20404)

    # --- a customer calls --------------------------------------------------------------------------------

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        if say.kind not in KINDS:
            raise self.unknown_kind(say, KINDS)
        number: VoiceNumber = self.state.account(self.name, say.account)
        address = self.address(self.state.person(say.sender))
        line = Line(number, address, "anonymous" if say.more.get("hidden") == "yes" else address, say)
        self._lines[line.sid] = line
        shown = Shown(
            id=line.sid, direction="in", kind="call", text=say.text, time=self.state.now(), account=number.id
        )
        self.state.show(self.name, address, shown)
        return self._webhook(
            line, {"CallStatus": "ringing"}
        ), "" if number.webhook_url else "no webhook is set"

    def deliver(self, webhook: Webhook) -> int | None:
        """The answer to a call is a document, and the call goes on as it says."""
        status, body = self._post(webhook)
        line = self._lines.get(webhook.message_id)
        if line is None or line.begun:
            return status
        line.begun = True
        verbs = _verbs(body) if status == 200 else None
        if verbs is None:
            self._end(line, "failed")
        else:
            self._do(line, verbs, line.document)
        return status

    def _do(self, line: Line, verbs: list[ElementTree.Element], document: int, hops: int = HOPS) -> None:
        """Verb by verb, until one leads elsewhere or another document takes the line over."""
        for at, verb in enumerate(verbs):
            if line.over or line.document != document:
                return
            match verb.tag:
                case "Say":
                    self._hear(line, verb.text or "", verb.get("language", ""))
                case "Pause":
                    return self._wait(line, verb, verbs[at + 1 :])
                case "Hangup":
                    break
                case "Redirect" if hops:
                    return self._follow(line, verb.text or "", {"CallStatus": "ringing"}, document, hops)
                case "Dial" if hops:
                    return self._ring(line, verb, document, hops)
                case "Record":
                    return self._record(line, verb)
        self._end(line)

    def _hear(self, line: Line, text: str, language: str) -> None:
        shown = Shown(
            id=f"{line.sid}:{uuid.uuid4().hex[:8]}", direction="out", kind="speech", text=text,
            time=self.state.now(), account=line.number.id, tag=language,
        )  # fmt: skip
        self.state.show(self.name, line.address, shown)

    def _wait(self, line: Line, verb: ElementTree.Element, rest: list[ElementTree.Element]) -> None:
        if line.say.more.get("hangup") == "pause":
            return self._end(line)
        self._later(float(line.say.more.get("wait") or verb.get("length") or 1), line, rest)

    def _later(self, seconds: float, line: Line, verbs: list[ElementTree.Element]) -> None:
        timer = threading.Timer(seconds, self._do, (line, verbs, line.document))
        timer.daemon = True
        timer.start()

    def _follow(self, line: Line, url: str, form: Mapping[str, str], document: int, hops: int) -> None:
        status, body = self._ask(self._webhook(line, form, url))
        verbs = _verbs(body) if status == 200 else None
        if verbs is not None:
            self._do(line, verbs, document, hops - 1)
        else:
            self._end(line, "failed")

    def _ring(self, line: Line, dial: ElementTree.Element, document: int, hops: int) -> None:
        if line.say.more.get("hangup") == "ringing":
            return self._end(line, "no-answer")
        taken = line.say.more.get("answer") == "yes"
        number = dial.find("Number")
        child = f"CA{uuid.uuid4().hex}"
        if taken and number is not None and number.get("statusCallback"):
            leg = {
                "CallSid": child, "ParentCallSid": line.sid, "CallStatus": "in-progress",
                "Direction": "outbound-dial", "From": line.caller, "To": number.text or "",
            }  # fmt: skip
            self._ask(self._webhook(line, leg, number.get("statusCallback", "")))
        how = {"DialCallStatus": "completed" if taken else "no-answer", "DialCallSid": child}
        self._follow(line, dial.get("action", ""), how | {"CallStatus": "in-progress"}, document, hops)

    def _record(self, line: Line, verb: ElementTree.Element) -> None:
        """The customer says what ``text`` holds, and hangs up; or hangs up at the tone."""
        said, sid = line.say.text, f"RE{uuid.uuid4().hex}"
        url = f"https://{HOST}/2010-04-01/Accounts/{line.number.account_sid}/Recordings/{sid}"
        about = {"RecordingSid": sid, "RecordingUrl": url, "RecordingDuration": str(len(said.split()))}
        self._end(line)
        if not said:
            self._tell(line, verb.get("recordingStatusCallback", ""), about | {"RecordingStatus": "absent"})
            return
        self._serve_recording(line, url)
        self._tell(line, verb.get("recordingStatusCallback", ""), about | {"RecordingStatus": "completed"})
        words = {"TranscriptionText": said, "TranscriptionStatus": "completed", "From": line.caller}
        self._tell(line, verb.get("transcribeCallback", ""), about | words | {"To": line.number.id})

    def _serve_recording(self, line: Line, url: str) -> None:
        storage = f"https://{CDN}/{line.sid}.mp3"
        self.state.serve(
            storage, Served(channel=self.name, mime=RECORDING, size=len(file_bytes(line.sid, RECORDING)))
        )
        pointer = Served(channel=self.name, redirect=storage, authorization=line.number.authorization)
        self.state.serve(f"{url}.mp3", pointer)

    def _tell(self, line: Line, url: str, form: Mapping[str, str]) -> None:
        """A callback that says nothing of caller or number beyond what its address holds."""
        if url:
            whole = {"CallSid": line.sid, "AccountSid": line.number.account_sid, **form}
            self.post(self._signed(line, whole, url), 0.05)

    def _end(self, line: Line, status: str = "completed") -> None:
        with self.state.lock:
            line.over = True
            number: VoiceNumber = self.state.account(self.name, line.number.id)
        url = number.status_callback or f"{number.webhook_url}?step=ended"  # as ``connect`` registers it
        if number.webhook_url:
            self.post(self._webhook(line, {"CallStatus": status, "CallDuration": "9"}, url), 0.05)

    def _webhook(self, line: Line, form: Mapping[str, str], url: str = "") -> Webhook:
        caller = {"From": line.caller, "Caller": line.caller, "FromCity": "", "FromCountry": ""}
        base = {"CallSid": line.sid, "Direction": "inbound", "To": line.number.id, "Called": line.number.id}
        return self._signed(line, caller | base | {"AccountSid": line.number.account_sid} | dict(form), url)

    def _signed(self, line: Line, form: Mapping[str, str], url: str) -> Webhook:
        id = f"voice-{self.state.next('voice webhooks')}"
        return twilio_api.webhook(line.number, self.name, form, id=id, address=line.address, url=url)

    def _ask(self, webhook: Webhook) -> tuple[int, str]:
        """What follows within a call; the first webhook is logged by whoever delivers it."""
        status, body = self._post(webhook)
        self.state.record(
            platform=self.name, direction="webhook", method=webhook.method, address=webhook.address,
            status=status, id=webhook.id, request=webhook.body, answer=body,
        )  # fmt: skip
        return status, body

    def _post(self, webhook: Webhook) -> tuple[int, str]:
        try:
            answer = self._pool.request(
                webhook.method, webhook.url, body=webhook.content, headers=webhook.headers, redirect=False
            )
        except (urllib3.exceptions.HTTPError, ValueError):
            return 0, ""
        return answer.status, answer.data.decode("utf-8", "replace")


def _verbs(document: str) -> list[ElementTree.Element] | None:
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 our own function wrote it
    except ElementTree.ParseError:
        return None
    return list(root) if root.tag == "Response" else None
