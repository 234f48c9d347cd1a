"""What a platform attests of the writer, what a link carried, where buttons are shown: by channel."""

import json
import time
from typing import Any

import pytest

from sportello.channels import webchat_wire as wire
from sportello.channels.base import Button, Connection, Outbound, Request
from sportello.channels.sms_aws import events as aws_events
from sportello.channels.webchat_tokens import Visitor
from sportello.domain.events import Inbound, Kind
from tests.contract.samples import all_samples, channel_names, channel_of
from tests.contract.test_email import inbound as mail

CHANNELS = channel_names()
REF = "sp-" + "abcdefgh234567ij"


def inbounds(channel: str) -> list[Inbound]:
    """Every customer's message among the samples of a channel."""
    samples = [sample for sample in all_samples(channel) if sample.response is None]
    events = [
        event for sample in samples for event in channel_of(channel).parse(sample.request, sample.connection)
    ]
    return [event for event in events if isinstance(event, Inbound)]


def parsed(channel: str, name: str, change: Any) -> Inbound:
    """A sample with another body."""
    (sample,) = [sample for sample in all_samples(channel) if sample.name == name]
    body = json.loads(sample.request.body)
    change(body)
    request = Request(method="POST", headers=sample.request.headers, body=json.dumps(body).encode())
    (event,) = channel_of(channel).parse(request, sample.connection)
    assert isinstance(event, Inbound)
    return event


# --- who it is ------------------------------------------------------------------------------------------

VOUCHED = {"whatsapp", "telegram", "email", "webchat"}


@pytest.mark.parametrize("channel", sorted(set(CHANNELS) - VOUCHED))
def test_most_channels_attest_nothing(channel: str) -> None:
    events = inbounds(channel)

    assert events
    assert {event.attested for event in events} == {""}


@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_is_attested_in_a_group_or_in_public(channel: str) -> None:
    assert {event.attested for event in inbounds(channel) if event.group or event.public} <= {""}


def test_whatsapp_attests_the_number_that_the_answer_goes_to() -> None:
    alone = [event for event in inbounds("whatsapp") if not event.group]
    numbered = [event for event in alone if event.customer.address.startswith("+")]

    assert numbered
    assert all(event.attested == event.customer.address for event in numbered)
    assert any(event.group and event.customer.id for event in inbounds("whatsapp"))


def whatsapp_card(*, own: bool, number: bool) -> Inbound:
    def change(body: dict[str, Any]) -> None:
        value = body["entry"][0]["changes"][0]["value"]
        message = value["messages"][0]
        for key in ("text", "type"):
            message.pop(key, None)
        message |= {"type": "contacts", "contacts": [{"phones": [{"phone": "+39 333 000 0009"}]}]}
        if own:
            message["origin"] = "contact_request"
        if not number:
            message.pop("from", None)
            message["from_user_id"] = "IT.1349"
            value["contacts"] = [{"user_id": "IT.1349", "profile": {"name": "Customer One"}}]

    return parsed("whatsapp", "text", change)


def test_whatsapp_attests_the_card_that_was_asked_for_where_there_is_no_number() -> None:
    assert whatsapp_card(own=True, number=False).attested == "+393330000009"
    assert whatsapp_card(own=False, number=False).attested == ""
    shown = whatsapp_card(own=False, number=True)
    assert shown.attested == shown.customer.address != "+393330000009"


def telegram_card(holder: int | None, *, group: bool = False, forwarded: bool = False) -> Inbound:
    def change(body: dict[str, Any]) -> None:
        message = body["message"]
        for key in ("text", "entities"):
            message.pop(key, None)
        message["contact"] = {"phone_number": "39 333 000 0009", "first_name": "One"}
        if holder is not None:
            message["contact"]["user_id"] = message["from"]["id"] + holder
        if group:
            message["chat"] = {"id": -100, "type": "supergroup", "title": "All"}
        if forwarded:
            message["forward_origin"] = {"type": "user", "date": 1, "sender_user": message["from"]}

    return parsed("telegram", "text", change)


def test_telegram_attests_ones_own_card_and_no_other() -> None:
    assert telegram_card(0).attested == "+393330000009"
    assert telegram_card(1).attested == ""
    assert telegram_card(None).attested == ""
    assert telegram_card(0, group=True).attested == ""
    assert telegram_card(0, forwarded=True).attested == ""


def test_a_domain_that_stands_for_its_mail_attests_the_sender() -> None:
    assert mail().attested == "customer.one@example.net"


@pytest.mark.parametrize(
    ("lines", "ses"),
    [
        ((), {"dmarc": "FAIL"}),
        ((), {"dmarc": "GRAY"}),
        ((), {"dmarc": "PROCESSING_FAILED"}),
        ((), {"dmarc": ""}),
        (("Reply-To: another@example.net",), {}),
        (("From: a@example.net, b@example.org",), {}),
        (("From: info@example.com", "X-Original-From: victim@example.net"), {}),
        (("From: colleague@example.com", "Reply-To: victim@example.net"), {}),
    ],
)
def test_any_other_mail_attests_nobody(lines: tuple[str, ...], ses: dict[str, str]) -> None:
    assert mail(*lines, **ses).attested == ""


def test_a_forwarded_mailbox_attests_nobody() -> None:
    assert mail(to="in@desk.example.com").attested == ""


@pytest.mark.parametrize(
    ("id", "email", "attested"),
    [("u:one", "one@example.com", "one@example.com"), ("u:one", "", ""), ("a:1", "typed@example.com", "")],
)
def test_the_site_attests_whom_the_company_has_identified(id: str, email: str, attested: str) -> None:
    visitor = Visitor(id, int(time.time()) + 60, email=email)
    body = json.dumps({"client_message_id": "m" * 16, "text": "12345678"}).encode()

    assert wire.message_event(body, visitor, "main", ("s" * 32,)).attested == attested


def text_message(connection: Connection, sender: str) -> Inbound:
    content = {
        "inboundMessageId": "m",
        "originationNumber": sender,
        "destinationNumber": "+39",
        "messageBody": "x",
    }
    body = json.dumps({"Type": "Notification", "Message": json.dumps(content)}).encode()
    (event,) = aws_events(Request(method="POST", body=body), connection)
    assert isinstance(event, Inbound)
    return event


@pytest.mark.parametrize("provider", ["aws", "twilio"])
def test_a_text_message_proves_who_writes_only_where_the_operator_says_so(provider: str) -> None:
    connections = [
        Connection(name="main", secrets=("s",), settings={"provider": provider, **settings})
        for settings in ({}, {"sender_proves": "no"}, {"sender_proves": "yes"})
    ]
    senders = ("+15550100201", "Example", "12345")

    def attested(connection: Connection, sender: str) -> str:
        if provider == "aws":
            return text_message(connection, sender).attested
        form = f"MessageSid=SM1&From={sender.replace('+', '%2B')}&To=%2B15550100000&Body=x".encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        (event,) = channel_of("sms").parse(Request(method="POST", headers=headers, body=form), connection)
        assert isinstance(event, Inbound)
        return event.attested

    found = [[attested(connection, sender) for sender in senders] for connection in connections]
    assert found == [["", "", ""], ["", "", ""], ["+15550100201", "", ""]]


# --- what the link carried ------------------------------------------------------------------------------


def test_telegram_start_carries_it() -> None:
    event = parsed("telegram", "text", lambda body: body["message"].update(text=f"/start {REF}"))
    assert (event.kind, event.ref, event.payload) == (Kind.START, REF, REF)
    plain = parsed("telegram", "text", lambda body: body["message"].update(text="/start"))
    assert (plain.kind, plain.ref) == (Kind.START, "")
    said = parsed("telegram", "text", lambda body: body["message"].update(text=f"I say /start {REF}"))
    assert (said.kind, said.ref) == (Kind.TEXT, "")


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        (f"Hello! (ref: {REF})", REF),
        (f"(ref: {REF})", REF),
        (f"(ref: {REF}) and more", ""),
        (f"Hello {REF}", ""),
        ("(ref: spring)", ""),
        (f"(ref: {REF}a)", ""),
        (f"(ref: {REF.upper()})", ""),
        ("", ""),
    ],
)
def test_whatsapp_s_text_ends_with_it_and_stays_as_it_is(text: str, ref: str) -> None:
    def change(body: dict[str, Any]) -> None:
        body["entry"][0]["changes"][0]["value"]["messages"][0]["text"] = {"body": text}

    event = parsed("whatsapp", "text", change)
    assert (event.ref, event.text) == (ref, text)


@pytest.mark.parametrize("channel", ["messenger", "instagram"])
def test_meta_s_links_carry_it_however_they_come(channel: str) -> None:
    referral = {"ref": REF, "source": "SHORTLINK", "type": "OPEN_THREAD"}

    def with_part(part: dict[str, Any]) -> Inbound:
        def change(body: dict[str, Any]) -> None:
            messaging = body["entry"][0]["messaging"][0]
            messaging.pop("message")
            messaging |= part

        return parsed(channel, "text", change)

    text = {"mid": "m1", "text": "Hello"}
    assert with_part({"referral": referral}).ref == REF
    assert with_part({"message": text | {"referral": referral}}).ref == REF
    assert with_part({"postback": {"payload": "GET_STARTED", "title": "Go", "referral": referral}}).ref == REF
    assert with_part({"optin": {"ref": REF}}).ref == REF
    assert with_part({"message": text}).ref == ""


# --- buttons --------------------------------------------------------------------------------------------

SHOWN = {"telegram", "whatsapp", "messenger", "instagram", "viber", "line", "wechat", "webchat", "apple"}
TITLES = ("Yes, thank you", "No")
ADDRESSES = {"messenger": "100", "instagram": "100"}


def test_the_channels_that_show_buttons() -> None:
    assert {channel for channel in CHANNELS if channel_of(channel).shows_buttons} == SHOWN


@pytest.mark.parametrize("channel", sorted(SHOWN))
def test_two_buttons_are_not_refused_where_they_are_shown(channel: str) -> None:
    buttons = tuple(Button(id=f"sportello:{title}", title=title[:20]) for title in TITLES)
    message = Outbound(account="1", to=ADDRESSES.get(channel, "1"), text="Did it help?", buttons=buttons)

    assert channel_of(channel).refusal(message, 1_000, 1_001) is None


def test_text_messages_and_calls_would_refuse_them() -> None:
    message = Outbound(account="1", to="+15550100201", text="x", buttons=(Button(id="a", title="A"),))

    for channel in ("sms", "voice"):
        assert channel_of(channel).refusal(message, 1_000, 1_001) is not None
