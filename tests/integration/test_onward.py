"""A conversation of the site that goes on by e-mail, and comes back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from sportello import entrypoints, mailroom
from sportello import webchat as function
from sportello.aws import secrets
from sportello.aws import visits as rows
from sportello.channels.base import Channel, Connection, Request
from sportello.channels.email import Email
from sportello.channels.http import AwsRefused, Http
from sportello.channels.webchat import WebChat
from sportello.domain.model import HOUR, MINUTE, SECOND
from sportello.services import onward
from sportello.services.reply import Person, reply
from sportello.services.send import Sender, send
from tests.integration.site import CONNECTION, Browser, Handler, jwt
from tests.integration.stage import (
    Stage,
    address_of,
    change_row,
    heard,
    only_thread,
    outbox,
    overdue,
    threads,
)

CARE = "care@example.com"
SITE = {**CONNECTION, "settings": {**CONNECTION["settings"], "email": "main"}}  # type: ignore[dict-item]
MAIL = {"secrets": [], "accounts": [{"id": CARE, "name": "Desk"}]}
CHANNELS: Mapping[str, Channel] = {"webchat": WebChat(), "email": Email()}


class Post(Http):
    """SES as far as it is asked to send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[EmailMessage] = []
        self.refuse = ""

    def aws(self, service: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (service, operation) == ("sesv2", "SendEmail")
        if self.refuse:
            raise AwsRefused(self.refuse, 400)
        mail = message_from_bytes(arguments["Content"]["Raw"]["Data"], policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.sent.append(mail)
        return {"MessageId": f"010001900000000{len(self.sent)}-00000000-0000-4000-8000-000000000000-000000"}


class Desk:
    def __init__(self, stage: Stage, handler: Handler) -> None:
        self.stage = stage
        self.post = Post()
        self.visitor = Browser(handler)

    def answer(self, text: str) -> None:
        self.stage.now += MINUTE
        person = Person(
            by="Agent",
            desk=self.stage.desk,
            channels=lambda name: CHANNELS[name],
            now=lambda: self.stage.now,
        )
        reply(person, only_thread()["PK"][2:], text)
        assert self.send("webchat") == ["sent"]
        self.stage.now += SECOND

    def minutes_later(self) -> list[str]:
        """The mails fall due."""
        self.stage.now += onward.AFTER
        return self.send("email")

    def send(self, via: str) -> list[str]:
        waiting = [row for row in outbox() if row["state"] == "pending" and row.get("via", "webchat") == via]
        return [send(self._sender(), address_of(row)) for row in waiting]

    def _sender(self) -> Sender:
        return replace(
            self.stage.sender(),
            channels=lambda name: CHANNELS[name],
            connection=connections,
            http=self.post,
        )

    def mail_back(self, text: str, *, sender: str = "one@example.com", answers: int = 1) -> Sequence[str]:
        """The visitor's mail program answers."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, CARE, "Re: Desk"
        mail["Message-ID"] = f"<{len(heard())}@mail.example.com>"
        mail["In-Reply-To"] = (
            f"<010001900000000{answers}-00000000-0000-4000-8000-000000000000-000000@email.amazonses.com>"
        )
        mail.set_content(text)
        headers = {
            "content-type": "message/rfc822",
            "x-ses-id": f"in{len(heard())}",
            "x-ses-recipients": CARE,
            "x-ses-source": sender,
            "x-ses-dmarc": "PASS",
        }
        request = Request(method="POST", headers=headers, body=mail.as_bytes())
        return list(mailroom.Mailroom().take(request, float("inf")))


def connections(channel: str, name: str) -> Connection:
    text = json.dumps({"webchat": SITE, "email": MAIL}[channel])
    return secrets._connection(channel, name, text)


@pytest.fixture
def desk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Desk:
    texts = {"webchat": {"main": json.dumps(SITE)}, "email": {"main": json.dumps(MAIL)}}
    monkeypatch.setattr(secrets, "read_secrets", texts.__getitem__)
    monkeypatch.setattr(entrypoints, "now", lambda: stage.now)
    monkeypatch.setattr(mailroom, "now", lambda: stage.now)
    mailroom._connections.cache_clear()
    stage.use()
    here = Desk(stage, function.site())
    here.visitor.open(language="en")
    return here


def left_an_address(desk: Desk) -> None:
    desk.visitor.write("Where is my order?")
    assert desk.visitor.ask("POST", "contact", {"email": "one@example.com"}).status == 200


def test_an_answer_that_nobody_looked_at_follows_with_the_conversation(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way: it arrives on Thursday.")
    assert desk.minutes_later() == ["sent"]

    (mail,) = desk.post.sent
    assert mail["To"] == "one@example.com"
    assert mail["From"] == f"Desk <{CARE}>"
    assert mail["Auto-Submitted"] is None
    text = mail.get_content()
    assert text.index("Where is my order?") < text.index("On its way: it arrives on Thursday.")
    assert "You, today at 10:00:" in text
    assert desk.visitor.texts() == ["Where is my order?", "On its way: it arrives on Thursday."]


def test_an_answer_that_was_seen_does_not(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.stage.now += MINUTE
    assert desk.visitor.texts()[-1] == "On its way."
    assert desk.minutes_later() == ["cancelled_seen"]
    assert desk.post.sent == []


def test_a_page_in_the_background_is_not_looked_at(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.visitor.poll(view="hidden")
    desk.visitor.poll(view="closed")
    assert desk.minutes_later() == ["sent"]


def test_two_answers_are_one_mail(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("One.")
    desk.answer("Two.")
    assert sorted(desk.minutes_later()) == ["cancelled_mailed", "sent"]
    assert "Two." in desk.post.sent[0].get_content()


def test_without_an_address_or_a_connection_nothing_is_planned(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.visitor.write("Hello")
    desk.answer("Hi")
    assert len(outbox()) == 1
    left_an_address(desk)
    monkeypatch.setitem(SITE, "settings", CONNECTION["settings"])
    desk.answer("Hi again")
    assert [row.get("via") for row in outbox()] == [None, None]


def test_what_the_desk_says_by_itself_sets_no_mail_off(desk: Desk) -> None:
    desk.stage.now += 10 * HOUR
    left_an_address(desk)
    assert desk.send("webchat") == ["sent"]
    assert desk.minutes_later() == []


def test_an_identified_customers_address_is_the_companys_word(desk: Desk) -> None:
    desk.visitor.open(identity=jwt({"sub": "c-1", "email": "known@example.com"}))
    desk.visitor.write("Hello")
    desk.answer("Hi")
    assert desk.minutes_later() == ["sent"]
    assert desk.post.sent[0]["To"] == "known@example.com"


def test_the_answer_by_mail_comes_into_the_same_thread_and_is_shown_there(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.minutes_later()
    desk.stage.now += MINUTE
    assert desk.mail_back("Thank you, and the invoice?") == ["stored"]

    assert len(threads()) == 1
    assert only_thread()["owed_since"] == desk.stage.now
    assert desk.visitor.texts()[-1] == "Thank you, and the invoice?"
    desk.answer("It is in the box.")
    assert desk.minutes_later() == ["sent"]
    assert "the invoice?" in desk.post.sent[1].get_content()


@pytest.mark.parametrize(
    "more", [{"sender": "somebody.else@example.com"}, {"answers": 9}], ids=["another_address", "another_mail"]
)
def test_a_mail_of_anybody_else_opens_a_thread_of_its_own(desk: Desk, more: dict[str, Any]) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.minutes_later()
    desk.mail_back("Let me in", **more)
    assert len(threads()) == 2
    assert "Let me in" not in desk.visitor.texts()


def test_a_mail_that_was_not_about_the_chat_never_shows_there(desk: Desk) -> None:
    """Whoever types another's address must not read what that one writes to us."""
    left_an_address(desk)
    desk.mail_back("Something private", answers=7)
    assert desk.visitor.texts() == ["Where is my order?"]


def test_a_mail_that_is_refused_ends_with_its_reason(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.post.refuse = "MessageRejected"
    assert desk.minutes_later() == ["failed_refused"]
    (row,) = [row for row in outbox() if row.get("via") == "email"]
    assert (row["state"], row["problem"], row["code"]) == ("failed", "refused", "MessageRejected")


def test_a_mail_that_has_to_wait_is_sent_later(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    desk.post.refuse = "TooManyRequestsException"
    assert desk.minutes_later() == ["postponed_busy"]
    desk.post.refuse = ""
    for row in outbox():
        if row.get("via") == "email":
            overdue(row)
    thread = only_thread()
    change_row(thread, hold=0)
    assert desk.send("email") == ["sent"]


def test_the_sweeper_finds_what_was_planned(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    (row,) = [row for row in outbox() if row.get("via") == "email"]
    overdue(row)
    assert desk.stage.sweep().counts["kicked"] == 1


def test_the_planned_row_is_made_once(desk: Desk) -> None:
    left_an_address(desk)
    desk.answer("On its way.")
    (row,) = [row for row in outbox() if row.get("via") == "email"]
    change_row(row, state="cancelled")
    original = next(found for found in outbox() if "via" not in found)
    onward.plan(
        desk.stage.desk,
        connections,
        connections("webchat", "main"),
        rows.whose(only_thread()["PK"][2:]).thread,  # type: ignore[arg-type]
        address_of(original),
        desk.stage.now,
    )
    assert [found["state"] for found in outbox() if found.get("via")] == ["cancelled"]
