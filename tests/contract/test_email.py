"""Reading mail: who wrote it, what it says, whether a machine may answer; and the traps in all of that."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.email import Email
from sportello.channels.email_events import encoded, tag_of
from sportello.channels.email_hand_over import as_headers, of_receipt
from sportello.domain.events import Echo, Ignored, Inbound, Kind, PlatformEvent, Receipt, Unreadable
from tests.contract.samples import all_samples

EMAIL = Email()
CONNECTION = Connection(
    name="main",
    secrets=(),
    accounts=(Account(id="info@example.com", name="Example Desk"), Account(id="Orders@example.com")),
    settings={"forwarded": "in@desk.example.com=info@example.com", "forwarders": "colleague@example.com"},
)
SENT = "0102018b2c3d4e5f-6a7b8c9d-0e1f-4a2b-8c3d-4e5f6a7b8c9d-000000"
CUSTOMER = "Customer One <customer.one@example.net>"
TAG = "kj3q5vw7pzc2n4xr6t8ybdfgh2 M#1795461000000#abcdefgh23456789~r"


def request(
    *lines: str, body: str | bytes = "Hello there", to: str = "info@example.com", **ses: str
) -> Request:
    """A mail with these header lines, as SES hands it over; ``From`` unless they name one."""
    given = {line.partition(":")[0].lower() for line in lines}
    usual = [
        line
        for line in (f"From: {CUSTOMER}", "To: info@example.com", "Message-ID: <one@mail.example.net>")
        if line.partition(":")[0].lower() not in given
    ]
    raw = body if isinstance(body, bytes) else body.replace("\n", "\r\n").encode()
    head = "\r\n".join([*usual, *lines]).encode("utf-8", "surrogateescape")
    headers = {
        "content-type": "message/rfc822",
        "x-ses-id": "sample",
        "x-ses-time": "2026-11-23T19:15:00+00:00",
        "x-ses-source": "customer.one@example.net",
        "x-ses-recipients": to,
        **{f"x-ses-{name}": "PASS" for name in ("spam", "virus", "spf", "dkim", "dmarc")},
    }
    headers |= {f"x-ses-{name.replace('_', '-')}": value for name, value in ses.items()}
    return Request(method="POST", headers=headers, body=head + b"\r\n\r\n" + raw)


def read(*lines: str, **more: Any) -> list[PlatformEvent]:
    return list(EMAIL.parse(request(*lines, **more), CONNECTION))


def inbound(*lines: str, **more: Any) -> Inbound:
    (event,) = read(*lines, **more)
    assert isinstance(event, Inbound), event
    return event


def test_nothing_that_comes_by_http_is_ses() -> None:
    for sample in all_samples("email"):
        assert not EMAIL.verify(sample.request, sample.connection)


class TestRouting:
    def test_the_envelope_decides_not_the_header(self) -> None:
        assert (
            inbound("To: somebody@elsewhere.example", to="orders@example.com").account == "Orders@example.com"
        )

    @pytest.mark.parametrize("to", ["INFO@Example.com", "info+order-7@example.com", "in@desk.example.com"])
    def test_spelling_tags_and_forwarding_lead_to_the_mailbox(self, to: str) -> None:
        assert inbound(to=to).account == "info@example.com"

    def test_each_mailbox_has_its_own_message(self) -> None:
        events = read(to="info@example.com, orders@example.com, stranger@example.com")
        assert [event.account for event in events] == ["info@example.com", "Orders@example.com"]

    def test_a_mail_for_nobody_of_the_connection_names_that_address(self) -> None:
        assert inbound(to="stranger@example.com").account == "stranger@example.com"

    def test_without_an_envelope_the_headers_have_to_do(self) -> None:
        bare = replace(request("To: x@example.com", "X-Forwarded-To: orders@example.com"), headers={})
        (event,) = EMAIL.parse(bare, CONNECTION)
        assert event.account == "Orders@example.com"

    def test_ses_s_own_headers_count_only_on_top(self) -> None:
        forged = replace(
            request(
                "Received: from a by mx.example.org; Mon, 23 Nov 2026 19:00:00 +0000",
                "Received: from b by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x for o@example.com;",
                "Authentication-Results: amazonses.com; dmarc=pass",
                "X-SES-Spam-Verdict: PASS",
            ),
            headers={},
        )
        (event,) = EMAIL.parse(forged, CONNECTION)
        assert event.account == "info@example.com"

    @pytest.mark.parametrize(
        "sender",
        ["dmarc=pass@example.net", '"a; dmarc=pass"@example.net', "dkim=pass.dmarc=pass@example.net"],
    )
    def test_the_envelope_sender_is_no_result(self, sender: str) -> None:
        """It stands in SES's own header, before what SES found."""
        forged = replace(
            request(
                "Received: from b by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x for i@example.com;",
                "Authentication-Results: amazonses.com; spf=pass (example.net) client-ip=192.0.2.1; "
                f"envelope-from={sender}; helo=example.net; dkim=none; dmarc=fail header.from=example.com;",
                *TestEcho.COPY,
            ),
            headers={},
        )
        (event,) = EMAIL.parse(forged, CONNECTION)
        assert isinstance(event, Inbound), "nobody writes in our name"
        assert event.automatic == "own_address"


class TestWriter:
    def test_a_false_from_is_answered_to_that_from(self) -> None:
        """Another person's thread cannot be led to an address of one's own."""
        event = inbound("From: victim@example.org", "Reply-To: Attacker <attacker@example.org>")
        assert (event.customer.id, event.customer.address) == ("attacker@example.org", "attacker@example.org")

    def test_spellings_of_one_address_are_one_customer(self) -> None:
        assert inbound("From: Customer.One@EXAMPLE.net").customer.id == "customer.one@example.net"

    def test_a_reply_to_of_ours_or_of_a_list_is_passed_over(self) -> None:
        assert inbound("Reply-To: info@example.com").customer.id == "customer.one@example.net"
        listed = inbound("Reply-To: talk@lists.example.org", "List-Post: <mailto:talk@lists.example.org>")
        assert listed.customer.id == "customer.one@example.net"

    @pytest.mark.parametrize(
        ("header", "address", "name"),
        [
            ('"One, Customer" <a@example.net>', "a@example.net", "One, Customer"),
            ("a@example.net (Customer One)", "a@example.net", "Customer One"),
            ("=?utf-8?q?Jos=C3=A9?= <a@example.net>", "a@example.net", "José"),
            ("=?utf-8?b?5bGx?= =?utf-8?b?55Sw?= <a@example.net>", "a@example.net", "山田"),
            ("=?utf-8?q?=E5=B1?= =?utf-8?q?=B1?= <a@example.net>", "a@example.net", "山"),
            ("=?nonsense?q?x?= <a@example.net>", "a@example.net", "x"),
            ("José <a@example.net>", "a@example.net", "José"),
            ("Mario <a@example.net>, b@example.net", "a@example.net", "Mario"),
            ("Friends: a@example.net, b@example.net;", "a@example.net", ""),
            ("'a@example.net' <a@example.net>", "a@example.net", ""),
            ("Broken <a@example.net", "a@example.net", "Broken"),
            ("x\u202ecod.exe <a@example.net>", "a@example.net", "x cod.exe"),
            ('"a@example.net" <b@example.net>', "b@example.net", ""),
        ],
    )
    def test_the_forms_of_an_address(self, header: str, address: str, name: str) -> None:
        customer = inbound(f"From: {header}").customer
        assert (customer.address, customer.name) == (address, name)

    def test_nobody_at_all_is_unreadable(self) -> None:
        (event,) = read("From: undisclosed", source="")
        assert isinstance(event, Unreadable)
        assert "undisclosed" not in event.why

    def test_the_envelope_stands_in_for_a_missing_from(self) -> None:
        assert inbound("From: ", source="bounce@example.org").customer.id == "bounce@example.org"

    def test_a_colleague_s_forward_as_attachment(self) -> None:
        body = (
            "--b\nContent-Type: text/plain\n\nPlease answer\n--b\nContent-Type: message/rfc822\n\n"
            "From: Customer Two <customer.two@example.org>\nSubject: Help\n\nHelp me\n--b--"
        )
        event = inbound(
            "From: colleague@example.com",
            "Subject: Fwd: Help",
            'Content-Type: multipart/mixed; boundary="b"',
            body=body,
        )
        assert event.customer.id == "customer.two@example.org"
        assert [media.name for media in event.media] == ["message.eml"]
        assert event.context == {"subject": "Help"}

    def test_only_our_own_people_s_forwards_are_opened(self) -> None:
        body = "---------- Forwarded message ----------\nFrom: victim@example.org\n\nSend it to me"
        assert inbound("Subject: Fwd: x", body=body).customer.id == "customer.one@example.net"
        ours = inbound("From: colleague@example.com", "Subject: Fwd: x", body=body)
        assert ours.customer.id == "victim@example.org"

    @pytest.mark.parametrize("header", ["X-Original-Sender", "X-Original-From", "X-Google-Original-From"])
    def test_behind_a_group_of_ours_stands_its_writer(self, header: str) -> None:
        event = inbound(
            "From: 'Two' via Info <info@example.com>", f"{header}: two@example.org", to="in@desk.example.com"
        )
        assert event.customer.id == "two@example.org"
        assert event.customer.name == "Two"
        assert event.addressed


class TestMachines:
    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("Auto-Submitted: auto-generated", "auto_submitted"),
            ("Auto-Submitted: auto-notified; owner-email=x", "auto_submitted"),
            ("Precedence: bulk", "list"),
            ("Precedence: junk", "list"),
            ("List-Id: <x.example.org>", "list"),
            ("List-Unsubscribe: <mailto:x@example.org>", "list"),
            ("Feedback-ID: 1:2:3", "list"),
            ("X-Auto-Response-Suppress: DR, OOF, AutoReply", "suppressed"),
            ("X-Auto-Response-Suppress: All", "suppressed"),
            ("X-Sportello: abc", "loop"),
            ("From: no-reply@example.org", "no_reply"),
            ("From: DoNotReply@example.org", "no_reply"),
            ("From: talk-bounces@example.org", "no_reply"),
            ("From: another@example.com", "own_domain"),
        ],
    )
    def test_no_machine_answers_and_a_person_looks(self, header: str, reason: str) -> None:
        event = inbound(header)
        assert (event.automatic, event.addressed) == (reason, True)

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ("Auto-Submitted: auto-replied (vacation)", "auto_reply"),
            ("X-Autoreply: yes", "auto_reply"),
            ("X-Autorespond: Re: your mail", "auto_reply"),
            ("X-Autoresponder: x", "auto_reply"),
            ("Precedence: auto_reply", "auto_reply"),
            ("From: info@example.com", "own_address"),
            ("From: in@desk.example.com", "own_address"),
        ],
    )
    def test_what_asks_for_nothing(self, header: str, reason: str) -> None:
        event = inbound(header)
        assert (event.automatic, event.addressed, event.detail) == (reason, False, reason)

    @pytest.mark.parametrize(
        "header",
        ["Auto-Submitted: no", "X-Autoreply: no", "X-Auto-Response-Suppress: DR", "Precedence: first-class"],
    )
    def test_what_says_that_a_person_wrote(self, header: str) -> None:
        assert (inbound(header).automatic, inbound(header).addressed) == ("", True)

    def test_a_null_sender_is_not_answered_by_a_machine(self) -> None:
        assert inbound(source="").automatic == "auto_submitted"
        daemon = inbound("From: MAILER-DAEMON@example.org", source="")
        assert (daemon.automatic, daemon.addressed) == ("bounce", False)

    @pytest.mark.parametrize(
        ("verdicts", "automatic", "addressed"),
        [
            ({"spam": "FAIL"}, "spam", True),
            ({"spam": "FAIL", "dmarc": "GRAY"}, "spam", False),
            ({"spam": "GRAY", "dmarc": "GRAY"}, "", True),
            ({"spam": "PROCESSING_FAILED"}, "", True),
            ({"virus": "FAIL", "dmarc": "FAIL"}, "virus", False),
            ({"dmarc": "FAIL", "dmarc_policy": "none"}, "", True),
            ({"dmarc": "FAIL", "dmarc_policy": "quarantine"}, "forged", True),
        ],
    )
    def test_verdicts(self, verdicts: dict[str, str], automatic: str, addressed: bool) -> None:
        event = inbound(**verdicts)
        assert (event.automatic, event.addressed) == (automatic, addressed)

    def test_an_answer_to_our_mail_is_looked_at_though_it_be_called_spam(self) -> None:
        event = inbound(f"In-Reply-To: <{SENT}@email.amazonses.com>", spam="FAIL", dmarc="GRAY")
        assert (event.automatic, event.addressed, event.quote) == ("spam", True, SENT)

    def test_a_mailbox_that_forwards_breaks_dmarc_by_itself(self) -> None:
        event = inbound(to="in@desk.example.com", dmarc="FAIL", dmarc_policy="reject")
        assert (event.automatic, event.detail) == ("", "")


class TestEcho:
    COPY = ("From: info@example.com", "To: Customer One <customer.one@example.net>", "Subject: Re: x")

    def test_a_person_s_answer_from_the_mailbox_itself(self) -> None:
        (event,) = read(*self.COPY, to="in@desk.example.com")
        assert isinstance(event, Echo)
        assert (event.author, event.customer.id) == ("person", "customer.one@example.net")

    def test_anybody_s_word_for_it_is_not_enough(self) -> None:
        event = inbound(*self.COPY, to="in@desk.example.com", dmarc="GRAY")
        assert (event.addressed, event.automatic) == (False, "own_address")

    def test_a_machine_s_answer_settles_nothing(self) -> None:
        (event,) = read(*self.COPY, "Auto-Submitted: auto-replied", to="in@desk.example.com")
        assert isinstance(event, Echo)
        assert event.author == "automatic"

    def test_two_deliveries_of_it_are_one(self) -> None:
        date = "Date: Mon, 23 Nov 2026 19:14:00 +0000"
        times = ("2026-11-23T19:15:00Z", "2026-11-23T19:16:00Z")
        copies = [read(*self.COPY, date, to="in@desk.example.com", time=time) for time in times]
        assert copies[0] == copies[1]

    @pytest.mark.parametrize("date", ["Date: Mon, 23 Nov 2099 19:14:00 +0000", "Date: yesterday", "X: y"])
    def test_it_is_not_written_after_it_came(self, date: str) -> None:
        (event,) = read(*self.COPY, date, to="in@desk.example.com")
        assert isinstance(event, Echo)
        assert event.time == 1_795_461_300_000

    def test_our_own_mail_coming_back_is_known_by_its_tag(self) -> None:
        (event,) = read(*self.COPY, f"X-Sportello: {encoded(TAG)}")
        assert isinstance(event, Echo)
        assert event.tag == TAG


class TestContent:
    @pytest.mark.parametrize(
        ("charset", "data", "text"),
        [
            ("utf-8", "è €".encode(), "è €"),
            ("iso-8859-1", "è €".encode("cp1252"), "è €"),
            ("us-ascii", "è".encode(), "è"),
            ("utf-8", "è".encode("cp1252"), "è"),
            ("gb2312", "您好镕".encode("gb18030"), "您好镕"),
            ("iso-2022-jp", "山田".encode("iso-2022-jp"), "山田"),
            ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
            ("koi8-r", "привет".encode("koi8-r"), "привет"),
            ("no-such-charset", "è".encode(), "è"),
            ("punycode", b"abc", "abc"),
            ("unicode_escape", rb"\ud800", r"\ud800"),
            ("base64", b"abc", "abc"),
            ("utf-8", b"a\x00b", "ab"),
            ("", "è".encode("cp1252"), "è"),
        ],
    )
    def test_character_sets(self, charset: str, data: bytes, text: str) -> None:
        kind = f"Content-Type: text/plain; charset={charset}" if charset else "X: y"
        assert inbound(kind, "Content-Transfer-Encoding: 8bit", body=data).text == text

    def test_flowed_text_is_put_together(self) -> None:
        body = "This is one \nline.\n\nThis is another."
        assert (
            inbound("Content-Type: text/plain; format=flowed", body=body).text
            == "This is one line.\n\nThis is another."
        )

    def test_an_empty_plain_part_leaves_the_word_to_html(self) -> None:
        body = "--b\nContent-Type: text/plain\n\n \n--b\nContent-Type: text/html\n\n<p>Here</p>\n--b--"
        assert inbound('Content-Type: multipart/alternative; boundary="b"', body=body).text == "Here"

    @pytest.mark.parametrize(
        ("disposition", "name"),
        [
            ('attachment; filename="../../etc/passwd"', "passwd"),
            ("attachment; filename*=utf-8''n%C2%B01.pdf", "n°1.pdf"),
            ("attachment; filename*0=a; filename*1=b.pdf", "ab.pdf"),
            ('attachment; filename="=?utf-8?q?n=C2=B01.pdf?="', "n°1.pdf"),
            ("attachment; filename*=nonsense''x.pdf", "x.pdf"),
            ("attachment", "file-1"),
            ('attachment; filename="a\u202efdp.exe"', "a fdp.exe"),
        ],
    )
    def test_names_of_files(self, disposition: str, name: str) -> None:
        event = inbound("Content-Type: application/pdf", f"Content-Disposition: {disposition}", "Subject: x")
        assert [media.name for media in event.media] == [name]

    def test_broken_base64_gives_what_there_is(self) -> None:
        lines = (
            "Content-Type: application/pdf",
            "Content-Disposition: attachment",
            "Content-Transfer-Encoding: base64",
        )
        (file,) = EMAIL.files(request(*lines, body="JVBERi0x\n!!LjQ"))
        assert file.content.startswith(b"%PDF-1")

    def test_the_signature_of_a_signed_mail_is_no_file(self) -> None:
        signature = "Content-Type: application/pkcs7-signature; name=smime.p7s\n\nx"
        body = f"--b\nContent-Type: text/plain\n\nSigned\n--b\n{signature}\n--b--"
        event = inbound('Content-Type: multipart/signed; boundary="b"', body=body)
        assert (event.text, event.media) == ("Signed", ())

    def test_a_mail_of_a_hundred_files_keeps_fifty(self) -> None:
        part = "--b\nContent-Type: image/png\nContent-Disposition: attachment; filename=x.png\n\nx\n"
        event = inbound(
            'Content-Type: multipart/mixed; boundary="b"', body=part * 100 + "--b--", object="inbound-mail/x"
        )
        assert len(event.media) == 50
        assert event.fragment == {"mail": "inbound-mail/x"}

    def test_what_is_cut_is_kept_where_the_mail_is_not(self) -> None:
        body = "New\n\nOn 23 Nov 2026, Desk wrote:\n> Old"
        assert inbound("Subject: Re: x", body=body).fragment == {"rest": "On 23 Nov 2026, Desk wrote:\n> Old"}
        assert inbound("Subject: Re: x", body=body, object="k").fragment == {"mail": "k"}

    def test_thanks_stay_recognisable(self) -> None:
        """A subject in front, or a picture in the signature, would make a question of them."""
        event = inbound(
            "Subject: Re: Ordine", "References: <x@example.net>", body="Grazie!\n\nInviato da iPhone"
        )
        assert (event.kind, event.text) == (Kind.TEXT, "Grazie!")

    @pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"no header at all", b"\x00\xff\xfe" * 10])
    def test_what_is_no_mail_is_told(self, raw: bytes) -> None:
        with pytest.raises(Unparseable):
            EMAIL.parse(
                Request(method="POST", headers={"content-type": "message/rfc822"}, body=raw), CONNECTION
            )

    @pytest.mark.parametrize("depth", [40, 3_000])
    def test_endless_nesting_is_bounded(self, depth: int) -> None:
        raw = f"From: {CUSTOMER}\r\nTo: info@example.com\r\n".encode()
        for number in range(depth):
            raw += f'Content-Type: multipart/mixed; boundary="b{number}"\r\n\r\n--b{number}\r\n'.encode()
        started = time.process_time()
        try:
            EMAIL.parse(
                Request(method="POST", headers={"content-type": "message/rfc822"}, body=raw), CONNECTION
            )
        except Unparseable:
            assert depth > 100
        assert time.process_time() - started < 5

    def test_ids_and_references_are_cleaned_and_bounded(self) -> None:
        long = " ".join(f"<{number:060d}@mail.example.net>" for number in range(100))
        event = inbound(f"References: {long}", "In-Reply-To: text <a@b> more", "Message-ID: <x y@z> <ok@z>")
        assert len(event.context["references"]) < 900
        assert event.context["references"].startswith("0" * 60)
        assert event.context["references"].endswith(f"{99:060d}@mail.example.net")
        assert (event.id, event.quote) == ("ok@z", "a@b")

    def test_one_mail_delivered_twice_is_one(self) -> None:
        """SES's id and time differ between two deliveries; what names the mail does not."""
        first, second = inbound(), inbound(id="other", time="2026-11-23T20:00:00+00:00")
        assert (first.id, first.time) == (second.id, second.time) == ("one@mail.example.net", None)
        nameless = inbound("Message-ID: ")
        assert nameless.id == inbound("Message-ID: ", id="other").id
        assert nameless.id != inbound("Message-ID: ", body="Something else").id


class TestReports:
    def bounce(
        self, *fields: str, returned: str = f"Message-ID: <{SENT}@eu-west-1.amazonses.com>"
    ) -> list[PlatformEvent]:
        body = (
            "--b\nContent-Type: text/plain\n\nNot delivered\n--b\nContent-Type: message/delivery-status\n\n"
            "Reporting-MTA: dns; mx.example.net\n\n"
            + "\n".join(fields)
            + "\n\n--b\nContent-Type: message/rfc822\n\n"
            f"{returned}\nSubject: x\n\nHello\n--b--"
        )
        return read(
            "From: MAILER-DAEMON@example.net",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            body=body,
            source="",
        )

    @pytest.mark.parametrize(
        ("status", "problem"),
        [
            ("5.1.1", "unreachable"),
            ("5.2.2", "unreachable"),
            ("5.4.4", "unreachable"),
            ("5.7.1", "refused"),
            ("5.6.0", "refused"),
            ("5.2.3", "too_long"),
            ("5.3.4", "too_long"),
        ],
    )
    def test_a_failure_is_a_failed_receipt(self, status: str, problem: str) -> None:
        receipt, notice = self.bounce(
            "Final-Recipient: rfc822; one@example.net", "Action: failed", f"Status: {status}"
        )
        assert isinstance(receipt, Receipt)
        assert (receipt.id, receipt.status, receipt.code, receipt.problem) == (
            SENT,
            "failed",
            status,
            problem,
        )
        assert receipt.customer is not None
        assert isinstance(notice, Inbound)
        assert receipt.customer.id == notice.customer.id == "one@example.net"
        assert (notice.kind, notice.addressed, notice.automatic) == (Kind.SERVICE, False, "bounce")

    def test_the_address_that_we_wrote_to_counts_not_where_it_was_forwarded(self) -> None:
        receipt, _ = self.bounce(
            "Original-Recipient: rfc822; one@example.net",
            "Final-Recipient: rfc822; x@elsewhere.example",
            "Action: failed",
        )
        assert isinstance(receipt, Receipt)
        assert receipt.customer is not None
        assert receipt.customer.id == "one@example.net"

    def test_a_delay_changes_nothing(self) -> None:
        (notice,) = self.bounce(
            "Final-Recipient: rfc822; one@example.net", "Action: delayed", "Status: 4.4.1"
        )
        assert isinstance(notice, Inbound)

    def test_our_row_comes_back_in_the_returned_header(self) -> None:
        receipt, _ = self.bounce(
            "Final-Recipient: rfc822; one@example.net",
            "Action: failed",
            returned=f"Message-ID: <x@y>\nX-Sportello: {encoded(TAG)}",
        )
        assert isinstance(receipt, Receipt)
        assert receipt.tag == TAG

    def test_a_bounce_without_a_report(self) -> None:
        receipt, notice = read(
            "From: MAILER-DAEMON@example.net",
            "X-Failed-Recipients: one@example.net",
            body=f"550 5.1.1 unknown\n\nMessage-ID: <{SENT}@email.amazonses.com>",
            source="",
        )
        assert isinstance(receipt, Receipt)
        assert (receipt.id, receipt.code, receipt.status) == (SENT, "5.1.1", "failed")
        assert isinstance(notice, Inbound)

    @pytest.mark.parametrize(
        ("kind", "status"),
        [
            ("accettazione", "sent"),
            ("avvenuta-consegna", "delivered"),
            ("non-accettazione", "failed"),
            ("errore-consegna", "failed"),
            ("rilevazione-virus", "failed"),
            ("preavviso-errore-consegna", ""),
            ("presa-in-carico", ""),
        ],
    )
    def test_receipts_of_certified_mail(self, kind: str, status: str) -> None:
        body = (
            '--b\nContent-Type: application/xml; name="daticert.xml"\n\n<postacert tipo="x" errore="no-dest">'
            "<destinatari tipo='certificato'>one@pec.example.org</destinatari></postacert>\n--b--"
        )
        *receipts, notice = read(
            "From: posta-certificata@pec.example.org",
            f"X-Ricevuta: {kind}",
            f"X-Riferimento-Message-ID: <{SENT}@eu-west-1.amazonses.com>",
            'Content-Type: multipart/mixed; boundary="b"',
            body=body,
        )
        assert [receipt.status for receipt in receipts if isinstance(receipt, Receipt)] == (
            [status] if status else []
        )
        assert isinstance(notice, Inbound)
        assert (notice.customer.id, notice.detail, notice.addressed) == (
            "one@pec.example.org",
            f"pec_{kind}",
            False,
        )

    def test_an_anomaly_is_the_ordinary_mail_inside(self) -> None:
        body = (
            '--b\nContent-Type: message/rfc822; name="postacert.eml"\n'
            'Content-Disposition: attachment; filename="postacert.eml"'
            "\n\nFrom: Two <two@example.org>\nSubject: Hi\nMessage-ID: <in@x>\n\nHello\n--b--"
        )
        event = inbound("X-Trasporto: errore", 'Content-Type: multipart/mixed; boundary="b"', body=body)
        assert (event.customer.id, event.id, event.detail) == ("two@example.org", "in@x", "pec_anomalia")


class TestEvents:
    def event(self, kind: str, **more: Any) -> list[PlatformEvent]:
        mail = {
            "timestamp": "2026-11-23T19:16:00.000Z",
            "source": "info@example.com",
            "messageId": SENT,
            "destination": ["one@example.net"],
            "tags": {"sportello": [encoded(TAG)]},
        }
        body = json.dumps({"eventType": kind, "mail": mail, **more}).encode()
        return list(EMAIL.parse(Request(method="POST", headers={}, body=body), CONNECTION))

    @pytest.mark.parametrize(
        ("subtype", "status", "problem"),
        [
            ("General", "5.1.1", "unreachable"),
            ("NoEmail", "", "unreachable"),
            ("Suppressed", "", "unreachable"),
            ("OnAccountSuppressionList", "", "unreachable"),
            ("MessageTooLarge", "5.3.4", "too_long"),
            ("ContentRejected", "5.7.1", "refused"),
            ("AttachmentRejected", "5.7.1", "media"),
            ("General", "5.7.26", "refused"),
        ],
    )
    def test_bounces(self, subtype: str, status: str, problem: str) -> None:
        (receipt,) = self.event(
            "Bounce",
            bounce={
                "bounceType": "Permanent",
                "bounceSubType": subtype,
                "bouncedRecipients": [{"emailAddress": "one@example.net", "status": status}],
                "timestamp": "2026-11-23T19:16:05.000Z",
            },
        )
        assert isinstance(receipt, Receipt)
        assert (receipt.tag, receipt.status, receipt.problem) == (TAG, "failed", problem)
        assert receipt.code

    @pytest.mark.parametrize("kind", ["Open", "Click", "Subscription", "DeliveryDelay", "SomethingNew"])
    def test_what_has_no_consequence_is_named(self, kind: str) -> None:
        assert self.event(kind) == [Ignored(account="info@example.com", why=kind.lower())]

    def test_a_complaint_taken_back(self) -> None:
        (event,) = self.event("Complaint", complaint={"complaintFeedbackType": "not-spam"})
        assert isinstance(event, Ignored)

    @pytest.mark.parametrize(
        "tags", [None, [], "x", {"sportello": None}, {"sportello": [5]}, {"sportello": ["%%"]}]
    )
    def test_odd_tags_are_none_of_ours(self, tags: Any) -> None:
        body = json.dumps({"eventType": "Send", "mail": {"messageId": SENT, "tags": tags}}).encode()
        (event,) = EMAIL.parse(Request(method="POST", body=body), CONNECTION)
        assert isinstance(event, Receipt)
        assert event.tag == ""

    @pytest.mark.parametrize(
        "body", [b"{}", b'{"eventType": 5}', b'{"Type":"Notification","Message":"no"}', b"[]", b"{"]
    )
    def test_what_is_no_event_is_told(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            EMAIL.parse(
                Request(method="POST", headers={"content-type": "application/json"}, body=body), CONNECTION
            )

    def test_a_tag_travels_in_what_ses_allows(self) -> None:
        assert tag_of(encoded(TAG)) == TAG
        assert encoded(TAG).replace("-", "").replace("_", "").isalnum()
        assert len(encoded("x" * 26 + " " + "y" * 64)) <= 256


def test_what_ses_attests_survives_the_hand_over() -> None:
    told = {
        "mail": {
            "messageId": "m",
            "timestamp": "2026-11-23T19:15:00.000Z",
            "source": "a@example.net",
            "destination": [],
        },
        "receipt": {
            "recipients": ["info@example.com"],
            "spamVerdict": {"status": "PASS"},
            "virusVerdict": {"status": "FAIL"},
            "spfVerdict": {"status": "GRAY"},
            "dkimVerdict": {"status": "PROCESSING_FAILED"},
            "dmarcVerdict": {"status": "FAIL"},
            "dmarcPolicy": "REJECT",
        },
    }
    headers = as_headers(of_receipt(told, "inbound-mail/m"))
    assert headers == {
        "content-type": "message/rfc822",
        "x-ses-id": "m",
        "x-ses-time": "2026-11-23T19:15:00+00:00",
        "x-ses-source": "a@example.net",
        "x-ses-recipients": "info@example.com",
        "x-ses-spam": "PASS",
        "x-ses-virus": "FAIL",
        "x-ses-spf": "GRAY",
        "x-ses-dkim": "PROCESSING_FAILED",
        "x-ses-dmarc": "FAIL",
        "x-ses-dmarc-policy": "reject",
        "x-ses-object": "inbound-mail/m",
    }
