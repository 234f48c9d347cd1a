"""E-mail through Amazon SES: mail that it receives into S3, events of mail that we sent, answers.

No platform calls us: SES writes the message into the bucket and invokes the mail function, both within
AWS and by its permissions; there is no signature to check and no address to call. One customer address
at one mailbox of ours is one thread, for ever; the conversation that a mail belongs to in the customer's
own program (subject, ids) travels in ``Inbound.context`` and comes back in the answer.

Mail has no time that both sides would agree on (the writer's clock is anybody's, SES's differs between
two deliveries of one mail), so arrival counts, and the ``Message-ID`` keeps a mail from coming twice.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from sportello.channels.base import (
    Account,
    Attachment,
    Channel,
    ConnectError,
    Connection,
    Finding,
    MediaRule,
    NotSent,
    Outbound,
    Probed,
    Problem,
    Question,
    Request,
    SendOutcome,
    Sent,
    Unknown,
    Unparseable,
)
from sportello.channels.body import read_object
from sportello.channels.email_compose import compose, is_refused_file, sendable
from sportello.channels.email_events import TAG, encoded, events_of, kind_of, opened
from sportello.channels.email_hand_over import as_headers, of_receipt
from sportello.channels.email_mime import File
from sportello.channels.email_reading import events_of_mail, files_of_mail
from sportello.channels.email_wire import from_base64
from sportello.channels.http import AwsRefused, Http, NoAnswer, NotConnected
from sportello.domain.events import Ignored, PlatformEvent
from sportello.domain.model import Instant

FILE_LIMIT = 18_000_000
"""Bytes; base64 makes 25 MB of them, which is what large mail providers take."""
QUOTA_WAIT = 900.0
"""Seconds after the daily quota is used up; it frees itself by and by."""

_PROBLEMS: dict[str, Problem] = {
    "TooManyRequestsException": Problem.BUSY,
    "ThrottlingException": Problem.BUSY,
    "Throttling": Problem.BUSY,
    "LimitExceededException": Problem.BUSY,
    "SendingPausedException": Problem.RECONNECT,
    "AccountSuspendedException": Problem.RECONNECT,
    "MailFromDomainNotVerifiedException": Problem.RECONNECT,
    "NotVerified": Problem.RECONNECT,
    "NotFoundException": Problem.RECONNECT,
    "AccessDeniedException": Problem.RECONNECT,
    "UnrecognizedClientException": Problem.RECONNECT,
    "InvalidClientTokenId": Problem.RECONNECT,
    "SignatureDoesNotMatch": Problem.RECONNECT,
    "ExpiredTokenException": Problem.TEMPORARY,
    "MessageRejected": Problem.REFUSED,
    "BadRequestException": Problem.REFUSED,
}
_FILE = MediaRule(limit=FILE_LIMIT)


class Email(Channel):
    name: ClassVar[str] = "email"
    family: ClassVar[Literal["messenger", "social", "mail", "phone", "site"]] = "mail"
    text_limit: ClassVar[int] = 100_000
    deadline: ClassVar[Instant] = 60_000
    returns_tag: ClassVar[bool] = True
    uses_context: ClassVar[bool] = True
    uploads: ClassVar[bool] = True
    webhooks: ClassVar[bool] = False
    media: ClassVar[Mapping[str, MediaRule]] = {
        "image": _FILE, "video": _FILE, "audio": _FILE, "voice": _FILE, "document": _FILE,
    }  # fmt: skip
    questions: ClassVar[tuple[Question, ...]] = (
        Question(
            name="addresses",
            text="Addresses that customers write to and are answered from, separated by commas "
            "(e.g. info@example.com, orders@example.com). Their domain must be verified in SES",
        ),
        Question(
            name="name", text="The name that customers see beside them, e.g. the company's", optional=True
        ),
        Question(
            name="forwarded",
            text="Where a mailbox elsewhere forwards to SES: receiving=answered pairs, e.g. "
            "info@in.example.com=info@example.com",
            optional=True,
        ),
        Question(
            name="forwarders",
            text="People whose own forwards are read as the mail inside, separated by commas",
            optional=True,
        ),
    )

    def verify(self, request: Request, connection: Connection) -> bool:
        """Nothing that comes by HTTP is SES: IAM decides who may invoke the mail function."""
        return False

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        """A raw mail with the headers of ``email_hand_over``, or the JSON of an SES event."""
        if not _is_json(request):
            return events_of_mail(request, connection)
        event = opened(read_object(request.body))
        kind = kind_of(event)
        if not kind:
            raise Unparseable("body: no event of SES")
        account = connection.accounts[0].id if connection.accounts else ""
        if kind != "Received":
            return events_of(event, kind, account)
        given = event.get("content")
        if not isinstance(given, str):
            return (Ignored(account=account, why="received_without_content"),)
        return events_of_mail(as_mail(event, given), connection)

    def files(self, request: Request) -> Sequence[File]:
        """The files of a mail, by the ids of its ``Media``."""
        return () if _is_json(request) else files_of_mail(request)

    def refusal(self, message: Outbound, last_inbound: Instant | None, now: Instant) -> Problem | None:
        if message.template is not None or not sendable(message.to):
            return Problem.REFUSED
        return super().refusal(message, last_inbound, now)

    def _takes(self, file: Attachment) -> bool:
        return super()._takes(file) and not is_refused_file(file.name)

    def send(self, message: Outbound, connection: Connection, http: Http) -> SendOutcome:
        account = _account(message.account, connection)
        to = sendable(message.to)
        if account is None or not to:
            return NotSent(problem=Problem.REFUSED, code="address")
        try:
            answer = http.aws("sesv2", "SendEmail", _request(message, account, to))
        except AwsRefused as refused:
            return _refused(refused)
        except NotConnected:
            return NotSent(problem=Problem.TEMPORARY, code="not_connected")
        except NoAnswer:
            return Unknown(code="no_answer")
        id = answer.get("MessageId")
        return Sent(id=id) if isinstance(id, str) and id else Unknown(code="no_message_id")

    def probe(self, connection: Connection, http: Http) -> Probed:
        """Whether SES may send as each of the addresses."""
        addresses = [
            address.strip().lower() for address in connection.settings.get("addresses", "").split(",")
        ]
        found = [address for address in addresses if address]
        if not found or not all(map(sendable, found)):
            raise ConnectError(
                "name at least one address, e.g. info@example.com; separate several with commas"
            )
        for address in found:
            _check_verified(address, http)
        name = connection.settings.get("name", "")
        return Probed(accounts=tuple(Account(id=address, name=name) for address in found))

    def examine(self, connection: Connection, url: str, http: Http) -> Sequence[Finding]:
        """Whether SES lets this account send, and to anybody."""
        try:
            account = http.aws("sesv2", "GetAccount", {})
        except (AwsRefused, NotConnected, NoAnswer) as error:
            text = f"SES was not asked about its limits ({error}): check credentials and region"
            return (Finding(level="warning", code="no_answer", text=text),)
        found = []
        if account.get("SendingEnabled") is False:
            text = "SES has paused sending for this account: its console says why; messages wait meanwhile"
            found.append(Finding(level="fault", code="sending_paused", text=text))
        if account.get("ProductionAccessEnabled") is False:
            text = "SES is in the sandbox, only verified addresses get mail: request production access there"
            found.append(Finding(level="warning", code="sandbox", text=text))
        return found

    def register(self, connection: Connection, url: str, http: Http) -> str:
        domain = connection.accounts[0].id.rpartition("@")[2] if connection.accounts else "the domain"
        return (
            "Deploy with the parameter MailRecipients (the addresses or domains that SES receives for), make "
            "the stack's receipt rule set the active one (aws ses set-active-receipt-rule-set), and either "
            f"point the MX of {domain} to SES or let the present mailbox forward; docs/channels/email.md has "
            "each step."
        )


def _is_json(request: Request) -> bool:
    given = request.headers.get("content-type", "")
    if given.startswith("message/"):
        return False
    return request.body[:200].lstrip()[:1] == b"{"


def as_mail(event: Mapping[str, object], given: str) -> Request:
    """A mail that came inside a notification, in base64 or as it is."""
    raw = given.encode("utf-8", "replace")
    receipt = event.get("receipt")
    action = receipt.get("action") if isinstance(receipt, dict) else None
    coded = isinstance(action, dict) and action.get("encoding") == "BASE64"
    return Request(
        method="POST", headers=as_headers(of_receipt(event)), body=from_base64(raw) if coded else raw
    )


def _account(id: str, connection: Connection) -> Account | None:
    found = next((account for account in connection.accounts if account.id.lower() == id.lower()), None)
    return found if found is not None and sendable(found.id) else None


def _request(message: Outbound, account: Account, to: str) -> dict[str, object]:
    request: dict[str, object] = {
        "FromEmailAddress": sendable(account.id),
        "Destination": {"ToAddresses": [to]},
        "Content": {"Raw": {"Data": compose(message, account, to)}},
    }
    if message.tag:
        request["EmailTags"] = [{"Name": TAG, "Value": encoded(message.tag)}]
    return request


def _refused(refused: AwsRefused) -> SendOutcome:
    if refused.status >= 500:
        return Unknown(code=refused.code)
    problem = _PROBLEMS.get(refused.code, Problem.REFUSED)
    wait = QUOTA_WAIT if refused.code == "LimitExceededException" else None
    return NotSent(problem=problem, code=refused.code, wait=wait)


def _check_verified(address: str, http: Http) -> None:
    """The address itself or its domain is an identity that SES sends for."""
    for identity in (address.rpartition("@")[2], address):
        try:
            if http.aws("sesv2", "GetEmailIdentity", {"EmailIdentity": identity}).get(
                "VerifiedForSendingStatus"
            ):
                return
        except AwsRefused as refused:
            if refused.code != "NotFoundException":
                raise ConnectError(
                    f"SES refused to say whether {identity} is verified: {refused.code}"
                ) from None
        except (NotConnected, NoAnswer) as error:
            raise ConnectError(
                f"SES did not answer ({error}): check credentials and region", "no_answer"
            ) from None
    raise ConnectError(
        f"SES may not send as {address}: verify {address.rpartition('@')[2]} in the SES console (Identities, "
        "Create identity, Domain) and add the records that it shows to the DNS, then connect again",
        "not_verified",
    )
