"""The mail that SES is given, what its answers mean, and how addresses are connected."""

import email
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.email import FILE_LIMIT, QUOTA_WAIT, Email
from sportello.channels.email_events import encoded
from sportello.channels.http import AwsRefused, Http, NoAnswer, NotConnected

EMAIL = Email()
CONNECTION = Connection(
    name="main",
    secrets=(),
    accounts=(Account(id="info@example.com", name="Caffè “Example”"),),
    settings={"addresses": "info@example.com"},
)
TAG = "kj3q5vw7pzc2n4xr6t8ybdfgh2 M#1795461000000#abcdefgh23456789~r"
TO = "customer.one@example.net"
CONTEXT = {
    "subject": "AW: Ordine 4711 [x:1]",
    "id": "two@mail.example.net",
    "references": "one@mail.example.net zero@x",
}


class Ses(Http):
    """SES as far as it is asked here."""

    def __init__(self, *answers: Mapping[str, Any] | Exception) -> None:
        super().__init__()
        self.answers = list(answers) or [{"MessageId": "sample-id"}]
        self.asked: list[tuple[str, str, Mapping[str, Any]]] = []

    def aws(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((service, operation, arguments))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def mail(self) -> EmailMessage:
        raw: bytes = self.asked[-1][2]["Content"]["Raw"]["Data"]
        assert max(map(len, raw.split(b"\r\n"))) < 998
        assert raw.isascii()
        mail = email.message_from_bytes(raw, policy=default)
        assert isinstance(mail, EmailMessage)
        assert mail.defects == []
        return mail


def outbound(text: str = "Arriva domani.", **more: Any) -> Outbound:
    return Outbound(**({"account": "info@example.com", "to": TO, "text": text, "context": CONTEXT} | more))


def sent(**more: Any) -> EmailMessage:
    ses = Ses()
    assert EMAIL.send(outbound(**more), CONNECTION, ses) == Sent(id="sample-id")
    return ses.mail


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").removesuffix("\n")


class TestMail:
    def test_the_whole_request(self) -> None:
        ses = Ses()
        EMAIL.send(outbound(tag=TAG), CONNECTION, ses)
        ((service, operation, arguments),) = ses.asked
        assert (service, operation) == ("sesv2", "SendEmail")
        assert {name: value for name, value in arguments.items() if name != "Content"} == {
            "FromEmailAddress": "info@example.com",
            "Destination": {"ToAddresses": [TO]},
            "EmailTags": [{"Name": "sportello", "Value": encoded(TAG)}],
        }

    def test_it_goes_into_the_customer_s_conversation(self) -> None:
        mail = sent(by_person=True)
        assert mail["Subject"] == "Re: Ordine 4711 [x:1]"
        assert mail["In-Reply-To"] == "<two@mail.example.net>"
        assert (
            " ".join(str(mail["References"]).split())
            == "<one@mail.example.net> <zero@x> <two@mail.example.net>"
        )

    def test_who_writes_to_whom(self) -> None:
        mail = sent()
        assert mail["From"].addresses[0].display_name == "Caffè “Example”"
        assert mail["From"].addresses[0].addr_spec == "info@example.com"
        assert mail["To"] == TO

    def test_a_machine_says_so_and_a_person_does_not(self) -> None:
        machine, person = sent(), sent(by_person=True)
        assert (machine["Auto-Submitted"], machine["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
        marks = {name.lower() for name in person.keys()}  # noqa: SIM118 - a message is no dictionary
        assert not marks & {
            "auto-submitted",
            "x-auto-response-suppress",
            "precedence",
            "list-id",
            "list-unsubscribe",
        }

    @pytest.mark.parametrize(
        "text", ["Größe: 42 €\nзавтра 好 😀", "x" * 5_000, "From the start\n.\n\n.dot", "=3D"]
    )
    def test_text_arrives_as_it_was_written(self, text: str) -> None:
        assert text_of(sent(text=text)) == text

    def test_choices_stand_below(self) -> None:
        buttons = (Button(id="y", title="Sì"), Button(id="n", title="No"))
        assert text_of(sent(buttons=buttons)) == "Arriva domani.\n\n- Sì\n- No"

    def test_without_a_conversation_the_desk_s_name_is_the_subject(self) -> None:
        mail = sent(context={})
        assert mail["Subject"] == "Caffè “Example”"
        assert mail["In-Reply-To"] is None

    def test_nothing_of_the_customer_s_makes_a_header(self) -> None:
        evil = {"subject": "x\r\nBcc: a@example.org", "id": "a@b", "references": "c@d"}
        mail = sent(context=evil)
        assert mail["Bcc"] is None
        assert mail["Subject"] == "Re: x Bcc: a@example.org"

    def test_a_file(self) -> None:
        file = Attachment(
            kind="document", mime="application/pdf", name="ricevuta n°1.pdf", size=4, content=b"%PDF"
        )
        (part,) = sent(attachment=file).iter_attachments()
        assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
            "ricevuta n°1.pdf",
            "application/pdf",
            b"%PDF",
        )

    @pytest.mark.parametrize(
        "mime", ["", "x", "message/rfc822", "multipart/mixed", "text/plain\r\nX: y", "a/b"]
    )
    def test_a_file_of_an_odd_type_is_mere_bytes(self, mime: str) -> None:
        file = Attachment(kind="document", mime=mime, name="x\r\ny.bin", size=1, content=b"x")
        (part,) = sent(attachment=file).iter_attachments()
        assert part.get_content_type() == "application/octet-stream"
        assert part.get_filename() == "x y.bin"

    def test_a_domain_in_other_letters_is_sent_in_ascii(self) -> None:
        assert sent(to="one@bücher.example")["To"] == "one@xn--bcher-kva.example"


class TestRefusal:
    def refusal(self, **more: Any) -> Problem | None:
        return EMAIL.refusal(outbound(**more), None, 0)

    def test_a_mail_may_be_written_at_any_time(self) -> None:
        assert self.refusal() is None

    @pytest.mark.parametrize(
        "to",
        [
            "",
            "x",
            "a b@example.net",
            "a@b",
            "josé@example.net",
            "a@example.net\r\nBcc: b@c.d",
            "a..b@x.it",
            ".a@example.net",
            "a.@example.net",
        ],
    )
    def test_what_is_no_address(self, to: str) -> None:
        assert self.refusal(to=to) is Problem.REFUSED
        assert EMAIL.send(outbound(to=to), CONNECTION, Ses()) == NotSent(
            problem=Problem.REFUSED, code="address"
        )

    def test_an_account_that_is_not_connected(self) -> None:
        other = outbound(account="other@example.com")
        assert EMAIL.send(other, CONNECTION, Ses()) == NotSent(problem=Problem.REFUSED, code="address")

    def test_templates_and_acts_that_mail_has_not(self) -> None:
        assert self.refusal(template=Template(name="x", language="it")) is Problem.REFUSED
        assert self.refusal(act="hide") is Problem.REFUSED
        assert self.refusal(text=" ") is Problem.EMPTY

    @pytest.mark.parametrize(
        ("name", "size", "problem"),
        [
            ("a.pdf", FILE_LIMIT, None),
            ("a.pdf", FILE_LIMIT + 1, Problem.MEDIA),
            ("a.EXE", 1, Problem.MEDIA),
            ("exe", 1, Problem.MEDIA),
        ],
    )
    def test_files(self, name: str, size: int, problem: Problem | None) -> None:
        file = Attachment(kind="document", mime="application/pdf", name=name, size=size)
        assert self.refusal(attachment=file) is problem


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("TooManyRequestsException", 429, NotSent(problem=Problem.BUSY, code="TooManyRequestsException")),
        (
            "LimitExceededException",
            400,
            NotSent(problem=Problem.BUSY, code="LimitExceededException", wait=QUOTA_WAIT),
        ),
        ("SendingPausedException", 400, NotSent(problem=Problem.RECONNECT, code="SendingPausedException")),
        (
            "AccountSuspendedException",
            400,
            NotSent(problem=Problem.RECONNECT, code="AccountSuspendedException"),
        ),
        (
            "MailFromDomainNotVerifiedException",
            400,
            NotSent(problem=Problem.RECONNECT, code="MailFromDomainNotVerifiedException"),
        ),
        ("NotVerified", 400, NotSent(problem=Problem.RECONNECT, code="NotVerified")),
        ("NotFoundException", 404, NotSent(problem=Problem.RECONNECT, code="NotFoundException")),
        ("AccessDeniedException", 403, NotSent(problem=Problem.RECONNECT, code="AccessDeniedException")),
        ("ExpiredTokenException", 403, NotSent(problem=Problem.TEMPORARY, code="ExpiredTokenException")),
        ("MessageRejected", 400, NotSent(problem=Problem.REFUSED, code="MessageRejected")),
        ("BadRequestException", 400, NotSent(problem=Problem.REFUSED, code="BadRequestException")),
        ("SomethingNew", 400, NotSent(problem=Problem.REFUSED, code="SomethingNew")),
        ("InternalServiceErrorException", 500, Unknown(code="InternalServiceErrorException")),
    ],
)
def test_what_ses_s_errors_mean(code: str, status: int, outcome: NotSent | Unknown) -> None:
    assert EMAIL.send(outbound(), CONNECTION, Ses(AwsRefused(code, status))) == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (NotConnected("x"), NotSent(problem=Problem.TEMPORARY, code="not_connected")),
        (NoAnswer("x"), Unknown(code="no_answer")),
        ({}, Unknown(code="no_message_id")),
        ({"MessageId": 5}, Unknown(code="no_message_id")),
    ],
)
def test_no_answer_or_an_odd_one(answer: Any, outcome: NotSent | Unknown) -> None:
    assert EMAIL.send(outbound(), CONNECTION, Ses(answer)) == outcome


class TestConnecting:
    def probe(self, ses: Ses, addresses: str = "Info@example.com, orders@example.com") -> Any:
        settings = {"addresses": addresses, "name": "Example"}
        return EMAIL.probe(Connection(name="main", secrets=(), settings=settings), ses)

    def test_a_verified_domain_stands_for_its_addresses(self) -> None:
        ses = Ses({"VerifiedForSendingStatus": True}, {"VerifiedForSendingStatus": True})
        found = self.probe(ses)
        assert [(account.id, account.name) for account in found.accounts] == [
            ("info@example.com", "Example"),
            ("orders@example.com", "Example"),
        ]
        assert ses.asked[0] == ("sesv2", "GetEmailIdentity", {"EmailIdentity": "example.com"})

    def test_an_address_verified_by_itself(self) -> None:
        ses = Ses(AwsRefused("NotFoundException", 404), {"VerifiedForSendingStatus": True})
        assert self.probe(ses, "info@example.com").accounts

    @pytest.mark.parametrize(
        ("answers", "addresses", "words"),
        [
            ([], "", "at least one address"),
            ([], "nonsense", "at least one address"),
            ([{}, AwsRefused("NotFoundException", 404)], "info@example.com", "verify example.com"),
            ([AwsRefused("AccessDeniedException", 403)], "info@example.com", "AccessDeniedException"),
            ([NotConnected("x")], "info@example.com", "did not answer"),
        ],
    )
    def test_what_is_wrong_is_said_with_the_remedy(
        self, answers: list[Any], addresses: str, words: str
    ) -> None:
        with pytest.raises(ConnectError, match=words):
            self.probe(Ses(*answers), addresses)

    @pytest.mark.parametrize(
        ("answer", "codes"),
        [
            ({"SendingEnabled": True, "ProductionAccessEnabled": True}, []),
            ({"SendingEnabled": True, "ProductionAccessEnabled": False}, [("warning", "sandbox")]),
            ({"SendingEnabled": False, "ProductionAccessEnabled": True}, [("fault", "sending_paused")]),
            (AwsRefused("AccessDeniedException", 403), [("warning", "no_answer")]),
        ],
    )
    def test_what_doctor_says_of_the_account(self, answer: Any, codes: list[tuple[str, str]]) -> None:
        found = EMAIL.examine(CONNECTION, "", Ses(answer))
        assert [(finding.level, finding.code) for finding in found] == codes

    def test_what_is_left_to_do(self) -> None:
        left = EMAIL.register(CONNECTION, "", Http())
        assert "MailRecipients" in left
        assert "set-active-receipt-rule-set" in left
