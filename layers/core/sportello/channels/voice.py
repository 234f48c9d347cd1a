"""Phone calls through Twilio Voice: a missed call, and voicemail, are messages that ask for an answer.

    call -> open, and ``forward`` set: rings there        taken: a notice; not taken: missed
         -> else: missed. Closed: silence, in which the sender puts the hours onto the line; then voicemail

The hours are the desk's ordinary automatic reply: decided with the missed call, rendered and sent
once by the sender, in the thread; here sending means to hand the call a document that says them. What
a person writes cannot be said to somebody who hung up: it goes out as SMS from the same number where
``settings["sms"]`` is ``yes``, and is refused otherwise. A person calls back, and resolves the thread.

``settings``: as ``twilio``, and ``forward``, ``voicemail_it``, ``voicemail_en``, ``language`` (of
callers whose number tells nothing), ``transcribe``, ``keep_recordings``, ``sms``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

from sportello.channels import sms_twilio, twilio, twilio_numbers
from sportello.channels import voice_twiml as twiml
from sportello.channels.base import (
    Channel,
    Connection,
    Download,
    Finding,
    Media,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    Response,
    SendOutcome,
    Sent,
    Unknown,
    Unparseable,
)
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.channels.sms import download
from sportello.channels.voice_calls import (
    HIDDEN,
    account_of,
    events,
    is_hidden,
    language,
    number_of,
    rings,
    was_taken,
)
from sportello.domain.events import PlatformEvent
from sportello.domain.language import language_of
from sportello.domain.model import Instant

CALL_OVER = (21220, 20404)
"""Twilio's codes for a call that is no longer there to be told anything."""
MARKS = frozenset(
    {"CallSid", "CallStatus", "RecordingSid", "TranscriptionText", "MessageStatus", "DialCallStatus"}
)


class Voice(Channel):
    name: ClassVar[str] = "voice"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "phone"
    text_limit: ClassVar[int] = 1600
    deadline: ClassVar[Instant] = twilio.DEADLINE
    returns_tag: ClassVar[bool] = True
    keeps_url: ClassVar[bool] = True
    uses_context: ClassVar[bool] = True
    media_hosts: ClassVar[tuple[str, ...]] = twilio.MEDIA_HOSTS
    questions: ClassVar[tuple[Question, ...]] = (
        twilio_numbers.ACCOUNT_SID,
        twilio_numbers.AUTH_TOKEN,
        twilio_numbers.API_KEY,
        twilio_numbers.API_KEY_SECRET,
        twilio_numbers.NUMBERS,
        Question(
            name="forward",
            text="The phone that rings while the desk is open, as +390200000000",
            optional=True,
        ),
        Question(
            name="voicemail_it",
            text="What asks Italian callers for a message and says that it is recorded (none: no voicemail)",
            optional=True,
        ),
        Question(name="voicemail_en", text="The same in English, for all other callers", optional=True),
        Question(name="language", text="Language of callers who hide their number: it or en", default="it"),
        Question(
            name="transcribe",
            text="Have Twilio write down English voicemail, at its price: yes or no",
            default="no",
        ),
        Question(name="keep_recordings", text="Copy voicemail into the desk: yes or no", default="yes"),
        Question(
            name="sms", text="Send written answers as SMS from the same number: yes or no", default="no"
        ),
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        return twilio.verified(request, connection)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        fields = twilio.fields(request)
        if not MARKS & fields.keys():
            raise Unparseable("form: no call of Twilio")
        return events(fields, connection)

    def acknowledge(self, request: Request, connection: Connection, is_open: Callable[[], bool]) -> Response:
        """What the caller hears next."""
        try:
            fields = twilio.fields(request)
        except Unparseable:
            return twilio.twiml()
        return twilio.twiml(twiml.document(*_next(fields, request, connection, is_open)))

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or message.buttons:
            return Problem.REFUSED
        if message.by_person and message.to.startswith(HIDDEN):
            return Problem.UNREACHABLE
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        """Said on the line while it lasts; what a person wrote, and what comes too late, by SMS if wished."""
        if not twilio.account_sid(connection):
            return NotSent(problem=Problem.RECONNECT, code="account_sid")
        call = message.context.get("call", "")
        if call and not message.by_person:
            outcome = _speak(message, call, connection, http)
            if outcome != _OVER:
                return outcome
        if connection.settings.get("sms") == "yes" and not is_hidden(message.to):
            return sms_twilio.send(message, connection, http)
        if message.by_person:
            return NotSent(problem=Problem.REFUSED, code="call_back")
        return _OVER

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        return download(media, connection)

    def probe(self, connection: Connection, http: Http) -> Probed:
        return twilio_numbers.probe(connection, http, "voice")

    def register(self, connection: Connection, url: str, http: Http) -> str:
        form = (
            ("VoiceUrl", url),
            ("VoiceMethod", "POST"),
            ("VoiceFallbackUrl", url),  # tried once where the first answer was a fault
            ("VoiceFallbackMethod", "POST"),
            ("StatusCallback", twiml.step(url, "ended", {})),
            ("StatusCallbackMethod", "POST"),
        )
        return twilio_numbers.register(connection, url, http, "voice", form)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        return twilio_numbers.examine(connection, url, http, "voice", "voice_url")


_OVER = NotSent(problem=Problem.UNREACHABLE, code="call_over")


def _next(
    fields: Mapping[str, str], request: Request, connection: Connection, is_open: Callable[[], bool]
) -> tuple[str, ...]:
    """Verbs for the caller's line; none for callbacks, to which nobody listens."""
    url = twilio.public_url(request, connection).partition("?")[0]
    step, ringing = fields.get("step", ""), fields.get("CallStatus") == "ringing"
    if step == "recorded":
        return (twiml.hang_up(),)
    if "DialCallStatus" in fields:
        return (twiml.hang_up(),) if was_taken(fields) else _missed(fields, url, connection, is_open())
    if step == "missed" or (not step and ringing and not rings(connection)):
        return _missed(fields, url, connection, is_open())
    if step or not ringing:
        return ()
    if not is_open():
        return (twiml.redirect(twiml.step(url, "missed", {})),)
    leg = twiml.step(url, "leg", _about(fields, connection))
    return (twiml.dial(connection.settings["forward"], twiml.step(url, "dialled", {}), leg),)


def _missed(fields: Mapping[str, str], url: str, connection: Connection, is_open: bool) -> tuple[str, ...]:
    about = _about(fields, connection)
    voicemail = twiml.voicemail(connection, language(fields, connection), url, about)
    return (voicemail,) if is_open else (twiml.pause(), voicemail)


def _about(fields: Mapping[str, str], connection: Connection) -> dict[str, str]:
    """What later callbacks of this call lack: which number of ours it came to, and whose it is."""
    return {"account": account_of(fields, connection), "caller": number_of(fields)}


def _speak(message: Outbound, call: str, connection: Connection, http: Http) -> SendOutcome:
    spoken = _language(message, connection)
    about = {"account": message.account, "caller": "" if message.to.startswith(HIDDEN) else message.to}
    after = twiml.voicemail(connection, spoken, connection.settings.get("url", ""), about)
    document = twiml.document(twiml.say(message.text, spoken), after)
    if len(document) > twiml.LIMIT:
        return NotSent(problem=Problem.TOO_LONG, code="twiml")
    try:
        answer = twilio.call("POST", f"Calls/{call}.json", connection, http, [("Twiml", document)])
    except NotConnected:
        return NotSent(problem=Problem.TEMPORARY, code="not_connected")
    except NoAnswer:
        return Unknown(code="no_answer")
    if answer.status == 200:
        return Sent(id=call)
    return _OVER if twilio.code_of(answer) in CALL_OVER else twilio.not_sent(answer)


def _language(message: Outbound, connection: Connection) -> str:
    """In which the words are; a voice that speaks another one is not understood."""
    found = message.language or language_of(message.text, tuple(twiml.SPOKEN))
    return found or language({"From": message.to}, connection)
