"""SMS: through Twilio (with MMS and RCS) or through AWS End User Messaging; ``settings["provider"]``.

What differs is in ``sms_twilio`` and ``sms_aws``; a connection has one of the two.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from sportello.channels import sms_aws, sms_aws_numbers, sms_twilio, sns, twilio, twilio_numbers
from sportello.channels.base import (
    Channel,
    ConnectError,
    Connection,
    Download,
    Finding,
    Media,
    MediaGone,
    MediaRule,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    Response,
    SendOutcome,
    Unit,
)
from sportello.channels.http import Http
from sportello.domain.events import PlatformEvent
from sportello.domain.model import Instant

AWS = "aws"
PICTURE_BYTES = 5_000_000
FILE_BYTES = 600_000
"""Twilio makes pictures smaller for the carrier, other files it hands on as they are."""


class Sms(Channel):
    name: ClassVar[str] = "sms"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "phone"
    text_limit: ClassVar[int] = 1600
    text_unit: ClassVar[Unit] = "utf16"
    deadline: ClassVar[Instant] = twilio.DEADLINE
    returns_tag: ClassVar[bool] = True
    keeps_url: ClassVar[bool] = True
    media: ClassVar[Mapping[str, MediaRule]] = {
        "image": MediaRule(limit=PICTURE_BYTES, mimes=("image/jpeg", "image/png", "image/gif")),
        "video": MediaRule(limit=FILE_BYTES, mimes=("video/mp4", "video/3gpp")),
        "audio": MediaRule(limit=FILE_BYTES, mimes=("audio/mpeg", "audio/mp4", "audio/amr", "audio/ogg")),
        "voice": MediaRule(limit=FILE_BYTES, mimes=("audio/amr", "audio/ogg", "audio/mpeg")),
        "document": MediaRule(limit=FILE_BYTES, mimes=("application/pdf", "text/vcard", "text/calendar")),
    }
    media_hosts: ClassVar[tuple[str, ...]] = twilio.MEDIA_HOSTS
    questions: ClassVar[tuple[Question, ...]] = (
        Question(name="provider", text="Who carries the messages: twilio or aws", default="twilio"),
        Question(
            name="secret",
            text="Twilio: Auth Token of the account. AWS: ARN of the SNS topic that the number writes to",
            secret=True,
        ),
        Question(name="account_sid", text="Twilio: Account SID, which begins with AC", optional=True),
        twilio_numbers.API_KEY,
        twilio_numbers.API_KEY_SECRET,
        Question(
            name="numbers",
            text="Our numbers, as +390200000000, with commas between them (Twilio: nothing means all)",
            optional=True,
        ),
        Question(
            name=sms_twilio.PROVES,
            text="yes: the sender's number is proof enough to tell of an order (it can be forged)",
            seldom=True,
        ),
        Question(
            name="configuration_set",
            text="AWS: configuration set whose events go to the same topic",
            optional=True,
        ),
    )

    def handshake(self, request: Request, connection: Connection) -> Response | None:
        """SNS asks whether we want the topic; and where its certificate cannot be had, it comes again."""
        if not _is_aws(connection):
            return None
        try:
            return Response(status=200) if sns.confirmed(request, connection.secrets) else None
        except sns.Unavailable:
            return Response(status=503)

    def verify(self, request: Request, connection: Connection) -> bool:
        if _is_aws(connection):
            return sns.verified(request, connection.secrets)
        return twilio.verified(request, connection)

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        if _is_aws(connection):
            return sms_aws.events(request, connection)
        return sms_twilio.events(twilio.fields(request), connection)

    def acknowledge(self, request: Request, connection: Connection, is_open: Callable[[], bool]) -> Response:
        """Twilio is told to do nothing; its default would be to send our answer to the customer."""
        return Response(status=200) if _is_aws(connection) else twilio.twiml()

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or message.buttons:
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        if _is_aws(connection):
            return sms_aws.send(message, connection, http)
        return sms_twilio.send(message, connection, http)

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        """Twilio's files need our credentials, which go to its API and to no other host."""
        return download(media, connection)

    def probe(self, connection: Connection, http: Http) -> Probed:
        """Twilio: the numbers that can send and receive. AWS: those named, as the topic's region has them."""
        match connection.settings.get("provider", "twilio"):
            case "twilio":
                return twilio_numbers.probe(connection, http, "sms")
            case "aws":
                return sms_aws_numbers.probe(connection, http)
        raise ConnectError("The provider is twilio or aws.")

    def register(self, connection: Connection, url: str, http: Http) -> str:
        if not _is_aws(connection):
            form = (
                ("SmsUrl", url),
                ("SmsMethod", "POST"),
                ("SmsFallbackUrl", url),  # tried once where the first answer was a fault
                ("SmsFallbackMethod", "POST"),
            )
            return twilio_numbers.register(connection, url, http, "sms", form)
        return sms_aws_numbers.subscribe(connection.secrets[0], url, http)

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        if _is_aws(connection):
            return sms_aws_numbers.examine(connection, url, http)
        return twilio_numbers.examine(connection, url, http, "sms", "sms_url")


def download(media: Media, connection: Connection) -> Download:
    """Raises ``MediaGone`` for an address that is not of Twilio's API."""
    try:
        parts = urlsplit(media.url)
    except ValueError:
        raise MediaGone("address") from None
    if parts.scheme != "https" or parts.netloc != twilio.HOST:
        raise MediaGone("address")
    return Download(url=media.url, headers=twilio.authorization(connection))


def _is_aws(connection: Connection) -> bool:
    return connection.settings.get("provider") == AWS
