"""Apple Messages for Business, inbound: tokens, compressed bodies, and what phones answer."""

import base64
import gzip
import hashlib
import hmac
import json
import time
from dataclasses import replace
from typing import Any

import pytest

from sportello.channels.apple import LARGEST, Apple
from sportello.channels.apple_tokens import is_apples, issued
from sportello.channels.base import Account, Connection, Media, MediaGone, Request, Unparseable
from sportello.domain.events import Inbound, Kind, PlatformEvent, Unreadable
from sportello.entrypoints import _connection_in
from tests.contract.samples import wire_bytes
from tests.contract.vectors import other_vectors

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = base64.b64encode(KEY).decode()
MSP, BUSINESS, CUSTOMER = "my-msp-id", "business-1", "urn:mbid:AQAAsample="
CONNECTION = Connection(
    name="main", secrets=(SECRET,), accounts=(Account(id=BUSINESS),), settings={"msp_id": MSP}
)
CHANNEL = Apple()
NOW = int(time.time())


def jwt(claims: Any, key: bytes = KEY, alg: str = "HS256") -> str:
    def encoded(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).decode().rstrip("=")

    signed = (
        f"{encoded(json.dumps({'alg': alg, 'typ': 'JWT'}).encode())}.{encoded(json.dumps(claims).encode())}"
    )
    return f"{signed}.{encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def request(body: bytes, **headers: str) -> Request:
    return Request(method="POST", path="/main/message", headers=headers, body=body)


def presented(authorization: str, connection: Connection = CONNECTION) -> bool:
    return CHANNEL.verify(request(b"{}", authorization=authorization), connection)


def parsed(**body: Any) -> PlatformEvent:
    whole = {"id": "m-1", "type": "text", "sourceId": CUSTOMER, "destinationId": BUSINESS, **body}
    (event,) = CHANNEL.parse(request(wire_bytes(whole)), CONNECTION)
    return event


def inbound(**body: Any) -> Inbound:
    event = parsed(**body)
    assert isinstance(event, Inbound), event
    return event


def answered(**data: Any) -> Inbound:
    return inbound(type="interactive", interactiveData={"bid": "…", "data": data})


class TestToken:
    def test_published_vectors(self) -> None:
        for vector in other_vectors("apple"):
            if "incoming_claims" in vector:
                secrets = ("", "not base64!", vector["secret_b64"])
                msp = vector["incoming_claims"]["aud"]
                assert is_apples(vector["jwt"], msp, secrets)
                assert not is_apples(vector["jwt"], "another", secrets)
                # The base64 text itself is not the key: that of the text's bytes is another one.
                wrong = base64.b64encode(vector["secret_b64"].encode()).decode()
                assert not is_apples(vector["jwt"], msp, (wrong,))
            if "outgoing_claims" in vector:
                claims = vector["outgoing_claims"]
                assert issued(claims["iss"], vector["secret_b64"], now=claims["iat"]) == vector["jwt"]

    def test_the_key_is_the_secret_after_decoding(self) -> None:
        claims = {"aud": MSP, "iat": NOW}
        assert presented(f"Bearer {jwt(claims)}")
        assert not presented(f"Bearer {jwt(claims, key=SECRET.encode())}")

    @pytest.mark.parametrize(
        ("claims", "good"),
        [
            ({"aud": MSP}, True),
            ({"aud": [MSP, "other"], "iat": 1_700_000_000}, True),
            ({"aud": MSP, "iat": NOW + 30}, True),
            ({"aud": MSP, "iat": NOW + 3600}, False),
            ({"aud": MSP, "exp": NOW + 3600}, True),
            ({"aud": MSP, "exp": NOW - 3600}, False),
            ({"aud": MSP, "nbf": NOW + 3600}, False),
            ({"aud": "other", "iat": NOW}, False),
            ({"aud": [], "iat": NOW}, False),
            ({"iat": NOW}, False),
            ({"iss": MSP, "iat": NOW}, False),
            ({"aud": MSP, "iat": "now"}, False),
            ({"aud": None}, False),
            ([], False),
            ("x", False),
        ],
    )
    def test_claims(self, claims: Any, good: bool) -> None:
        assert presented(f"Bearer {jwt(claims)}") is good

    @pytest.mark.parametrize("alg", ["none", "HS512", "RS256", ""])
    def test_no_other_algorithm(self, alg: str) -> None:
        assert not presented(f"Bearer {jwt({'aud': MSP}, alg=alg)}")

    @pytest.mark.parametrize(
        "value", ["", "Bearer", "Bearer ", "Bearer a", "Bearer a.b", "Bearer ..", "Basic x"]
    )
    def test_what_is_no_token(self, value: str) -> None:
        assert not presented(value)

    def test_without_msp_id_or_secret_nothing_is_accepted(self) -> None:
        token = f"Bearer {jwt({'aud': ''}, key=b'')}"
        assert not presented(token, CONNECTION.model_copy(update={"settings": {}}))
        assert not presented(token, CONNECTION.model_copy(update={"secrets": ("",)}))

    def test_the_scheme_is_written_in_any_case(self) -> None:
        assert presented(f"bearer {jwt({'aud': MSP})}")


class TestBody:
    WHOLE = wire_bytes({"id": "m-1", "type": "text", "sourceId": CUSTOMER, "body": "Ciao"})

    @pytest.mark.parametrize("headers", [{"content-encoding": "gzip"}, {}])
    def test_compressed_whether_or_not_it_is_said(self, headers: dict[str, str]) -> None:
        (event,) = CHANNEL.parse(request(gzip.compress(self.WHOLE), **headers), CONNECTION)
        assert isinstance(event, Inbound)
        assert event.text == "Ciao"

    def test_a_small_body_that_would_fill_the_memory(self) -> None:
        bomb = gzip.compress(b" " * (LARGEST * 30))
        assert len(bomb) < 100_000
        with pytest.raises(Unparseable, match="too_large"):
            CHANNEL.parse(request(bomb), CONNECTION)

    def test_as_much_as_is_taken(self) -> None:
        body = self.WHOLE + b" " * (LARGEST - len(self.WHOLE))
        assert CHANNEL.parse(request(gzip.compress(body)), CONNECTION)
        with pytest.raises(Unparseable, match="too_large"):
            CHANNEL.parse(request(gzip.compress(body + b" ")), CONNECTION)

    @pytest.mark.parametrize(
        "body",
        [b"\x1f\x8b", b"\x1f\x8bgarbage", gzip.compress(b"{}")[:-4], gzip.compress(b"[]"), b"", b"null"],
        ids=["no more than its mark", "no gzip", "cut off", "a list", "empty", "null"],
    )
    def test_what_is_not_apples_at_all(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            CHANNEL.parse(request(body), CONNECTION)

    def test_said_to_be_compressed_and_is_not(self) -> None:
        with pytest.raises(Unparseable, match="not gzip"):
            CHANNEL.parse(request(self.WHOLE, **{"content-encoding": "gzip"}), CONNECTION)


class TestAddress:
    def test_apple_puts_a_word_behind_our_address(self) -> None:
        assert _connection_in("/main/message", CHANNEL.suffixes) == "main"
        assert _connection_in("/main", CHANNEL.suffixes) == "main"
        assert _connection_in("/message/message", CHANNEL.suffixes) == "message"
        assert _connection_in("/message", CHANNEL.suffixes) == "message"
        assert _connection_in("/main/message", ()) == "message"

    def test_a_closed_conversation_names_us_in_the_headers(self) -> None:
        body = request(wire_bytes({"type": "close", "id": "c-1"}))
        named = replace(body, headers={"source-id": CUSTOMER, "destination-id": "another"})
        (event,) = CHANNEL.parse(named, CONNECTION)
        assert isinstance(event, Inbound)
        assert (event.account, event.customer.id, event.detail) == ("another", CUSTOMER, "blocked")

    @pytest.mark.parametrize("source", [None, "", 7, "x" * 401])
    def test_nobody_to_answer(self, source: Any) -> None:
        assert isinstance(parsed(sourceId=source), Unreadable)

    def test_two_long_ids_are_not_cut_to_one(self) -> None:
        assert inbound(id="x" * 128).id == "x" * 128
        assert isinstance(parsed(id="x" * 128 + "y"), Unreadable)

    def test_words_are_not_in_what_is_said_of_an_unreadable_body(self) -> None:
        event = parsed(body=["secret words"])
        assert isinstance(event, Unreadable)
        assert "secret" not in event.why


class TestWords:
    @pytest.mark.parametrize(
        ("locale", "language"), [("it_IT", "it"), ("zh-Hans_CN", "zh"), ("EN", "en"), ("", ""), ("_", "")]
    )
    def test_the_locale_tells_the_language(self, locale: str, language: str) -> None:
        assert inbound(body="x", locale=locale).customer.language == language

    @pytest.mark.parametrize(
        ("body", "emoji"),
        [
            ("Loved “Ciao”", "❤️"),
            ("Laughed at an image", "😂"),
            ("Reacted 🎉 to “Ciao\nCiao”", "🎉"),
        ],
    )
    def test_a_tapback_asks_for_nothing(self, body: str, emoji: str) -> None:
        event = inbound(body=body)
        assert (event.kind, event.text) == (Kind.REACTION, emoji)

    @pytest.mark.parametrize(
        "body", ["Loved it", "Liked a lot", "I Loved “that”", "Disliked “x", "Loved a shoe"]
    )
    def test_what_only_begins_like_one_is_text(self, body: str) -> None:
        assert inbound(body=body).kind is Kind.TEXT

    def test_a_place_for_a_file_is_not_shown(self) -> None:
        assert inbound(body="\ufffc").text == ""


class TestAnswers:
    ITEMS = ({"identifier": "a", "title": "A"}, {"identifier": "b", "title": "B"})

    def test_a_quick_reply_by_its_number(self) -> None:
        event = answered(**{"quick-reply": {"selectedIndex": 1, "items": self.ITEMS}})
        assert (event.payload, event.text) == ("b", "B")

    def test_a_quick_reply_beyond_the_list(self) -> None:
        event = answered(requestIdentifier="r", **{"quick-reply": {"selectedIndex": 7, "items": self.ITEMS}})
        assert (event.kind, event.payload, event.text) == (Kind.BUTTON, "r", "")

    def test_a_time_picker_of_older_phones(self) -> None:
        slots = [{"identifier": "s-1", "startTime": "2026-11-24T09:00+0000"}]
        event = answered(timePicker={"event": {"timeslots": slots}})
        assert (event.payload, event.text) == ("s-1", "2026-11-24T09:00+0000")

    def test_what_was_chosen_stands_beside_the_data_too(self) -> None:
        data = {"bid": "…", "replyMessage": {"title": "Resi"}, "data": {"listPicker": {"sections": []}}}
        assert inbound(type="interactive", interactiveData=data).text == "Resi"

    @pytest.mark.parametrize("kind", ["authenticate", "payment"])
    def test_tokens_of_the_customer_are_not_kept(self, kind: str) -> None:
        event = answered(**{kind: {"token": "canary", "paymentToken": {"data": "canary"}}})
        assert (event.kind, event.detail) == (Kind.UNSUPPORTED, kind)
        assert "canary" not in event.model_dump_json()

    def test_an_odd_answer_can_be_quarantined(self) -> None:
        assert isinstance(parsed(type="interactive"), Unreadable)
        assert isinstance(parsed(type="interactive", interactiveData={"data": {"listPicker": 3}}), Unreadable)


class TestFiles:
    def test_published_vectors(self) -> None:
        for vector in other_vectors("apple"):
            if "attachment_key" in vector:
                media = Media(kind="document", id=f"o s {vector['attachment_key']}")
                body = bytes.fromhex(vector["ciphertext_hex"])
                assert CHANNEL.decrypt(media, body) == vector["plaintext"].encode()

    @pytest.mark.parametrize("before", ["00", ""])
    def test_a_file_as_openssl_encrypts_it(self, before: str) -> None:
        media = Media(kind="image", id=f"owner signature {before}{KEY.hex()}")
        assert CHANNEL.decrypt(media, bytes.fromhex("7dbd88272fb25937692a3b8100474175")) == bytes(16)

    @pytest.mark.parametrize("id", ["", "o s", "o s zz", "o s 0011", "a b c d"])
    def test_without_a_key_it_is_lost(self, id: str) -> None:
        with pytest.raises(MediaGone):
            CHANNEL.decrypt(Media(kind="image", id=id), b"x")

    @pytest.mark.parametrize("attachment", [{"signature": "not hexadecimal"}, {"mimeType": 3}, "x"])
    def test_an_odd_attachment(self, attachment: Any) -> None:
        assert isinstance(parsed(body="x", attachments=[attachment]), Unreadable)
