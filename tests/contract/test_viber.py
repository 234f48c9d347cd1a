"""Viber, inbound: who signed it, and bodies that are odd but signed."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.viber import Viber
from sportello.domain.events import Ignored, Inbound, Kind, PlatformEvent, Receipt, Unreadable
from tests.contract.samples import wire_bytes
from tests.contract.vectors import other_vectors

TOKEN = "44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3"
BOT = Account(id="pa:1", name="sampledesk")
CONNECTION = Connection(name="main", secrets=(TOKEN,), accounts=(BOT,))
USER = "xy5/5y6O81+/kbWHpLhBoA=="
VIBER = Viber()


def signed(body: bytes, token: str = TOKEN, header: str | None = None) -> Request:
    proof = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-viber-content-signature": proof if header is None else header}
    return Request(method="POST", path="/main", headers=headers, body=body)


def parsed(**body: Any) -> PlatformEvent:
    request = signed(wire_bytes({"timestamp": 1795461300000, "message_token": 2**63 - 1, **body}))
    assert VIBER.verify(request, CONNECTION)
    (event,) = VIBER.parse(request, CONNECTION)
    return event


def inbound(**message: Any) -> Inbound:
    event = parsed(event="message", sender={"id": USER, "name": "Customer One"}, message=message)
    assert isinstance(event, Inbound), event
    return event


class TestSignature:
    def test_published_vectors(self) -> None:
        for vector in other_vectors("viber"):
            token, body, expected = vector["token"], vector["body"].encode(), vector["expected"]
            connection = Connection(name="main", secrets=("older", token))
            assert VIBER.verify(signed(body, header=expected), connection)
            assert VIBER.verify(signed(body, header=expected.upper()), connection)
            assert not VIBER.verify(signed(body + b" ", header=expected), connection)

    def test_a_body_by_hand(self) -> None:
        """The vendor's sample: its two numbers look swapped, so nothing in it may be judged."""
        body = b'{"event":"webhook","timestamp":4977069964384421269,"message_token":1478683725125}'
        proof = "d21b343448c8aee33b8e93768ef6ceb64a6ba6163099973a2b8bd028fea510ef"
        request = signed(body, header=proof)
        assert VIBER.verify(request, CONNECTION)
        assert VIBER.parse(request, CONNECTION) == (Ignored(account="pa:1", why="webhook"),)

    def test_a_body_written_again_is_not_what_was_signed(self) -> None:
        body = '{"event":"message","message":{"text":"Ahoj ☺"}}'.encode()
        request = signed(body)
        assert VIBER.verify(request, CONNECTION)
        again = json.dumps(json.loads(body)).encode()
        assert again != body
        assert not VIBER.verify(replace(request, body=again), CONNECTION)

    def test_an_empty_token_signs_nothing(self) -> None:
        for secrets in ((), ("",), ("", "")):
            assert not VIBER.verify(signed(b"{}", token=""), Connection(name="main", secrets=secrets))


class TestIds:
    def test_64_bits_stay_whole(self) -> None:
        event = inbound(type="text", text="Ciao")
        assert event.id == "9223372036854775807"

    def test_a_users_id_is_taken_as_it_is(self) -> None:
        odd = "xy5/5$$**y6O81+/kbWHpLhBoA=="
        event = parsed(event="unsubscribed", user_id=odd)
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.customer.address) == (odd, odd)

    def test_a_receipt_names_our_message_and_its_reader(self) -> None:
        event = parsed(event="seen", user_id=USER)
        assert isinstance(event, Receipt)
        assert (event.id, event.status) == ("9223372036854775807", "read")
        assert event.customer is not None
        assert event.customer.id == USER

    def test_the_words_of_a_failure_are_not_kept(self) -> None:
        event = parsed(event="failed", user_id=USER, desc="text is invalid [Buongiorno CANARY]")
        assert "CANARY" not in repr(event)

    @pytest.mark.parametrize("token", [None, True, "123", 1.5, 2**63, []])
    def test_a_message_without_its_token_is_set_aside(self, token: Any) -> None:
        body = {"event": "message", "timestamp": 1, "message_token": token, "sender": {"id": USER}}
        request = signed(wire_bytes(body | {"message": {"type": "text", "text": "CANARY"}}))
        if token == 2**63:
            with pytest.raises(Unparseable):
                VIBER.parse(request, CONNECTION)
            return
        (event,) = VIBER.parse(request, CONNECTION)
        assert isinstance(event, Unreadable)
        assert "CANARY" not in event.why


class TestButtons:
    def test_a_tap_is_known_by_what_was_sent_along(self) -> None:
        event = inbound(type="text", text="Una persona", tracking_data='{"buttons":{"Una persona":"person"}}')
        assert (event.kind, event.payload, event.text) == (Kind.BUTTON, "person", "Una persona")

    @pytest.mark.parametrize(
        "tracking",
        ["", "3055", "[]", "{}", '{"buttons":[]}', '{"buttons":{"x":"y"}}', "{", "[" * 100_000, 7, None],
    )
    def test_anything_else_sent_along_makes_no_button(self, tracking: Any) -> None:
        event = inbound(type="text", text="Una persona", tracking_data=tracking)
        assert (event.kind, event.text) == (Kind.TEXT, "Una persona")


class TestKinds:
    @pytest.mark.parametrize(
        "message",
        [
            {"type": "picture"},
            {"type": "video", "media": 7},
            {"type": "file", "media": "https://dl-media.viber.com/x", "size": "10"},
            {"type": "sticker"},
            {"type": "location"},
            {"type": "location", "location": {"lat": "1", "lon": 2}},
            {"type": "contact"},
            {"type": "url"},
            {"type": "text", "text": {"a": 1}},
            {"type": "rich_media", "rich_media": {"Buttons": []}},
        ],
    )
    def test_what_cannot_be_read_is_kept_as_it_came(self, message: dict[str, Any]) -> None:
        event = inbound(**message)
        assert (event.kind, event.detail, event.fragment) == (Kind.UNSUPPORTED, message["type"], message)

    def test_a_message_without_a_type_is_set_aside(self) -> None:
        event = parsed(event="message", sender={"id": USER}, message={"text": "CANARY"})
        assert isinstance(event, Unreadable)
        assert "CANARY" not in event.why

    def test_languages_lose_their_country(self) -> None:
        user = {"id": USER, "name": "Customer One", "language": "pt-BR"}
        event = parsed(event="conversation_started", user=user)
        assert isinstance(event, Inbound)
        assert event.customer.language == "pt"

    def test_an_event_that_names_nobody_is_set_aside(self) -> None:
        assert isinstance(parsed(event="eclipse"), Unreadable)
        assert isinstance(parsed(event=7), Unreadable)
        assert isinstance(parsed(), Unreadable)

    def test_a_body_that_is_no_object_cannot_be_read(self) -> None:
        for body in (b"", b"[]", b"null", b"<xml/>", b'{"event":'):
            with pytest.raises(Unparseable):
                VIBER.parse(signed(body), CONNECTION)

    def test_without_an_account_nothing_breaks(self) -> None:
        (event,) = VIBER.parse(signed(b'{"event":"webhook"}'), Connection(name="main", secrets=(TOKEN,)))
        assert event == Ignored(account="", why="webhook")
