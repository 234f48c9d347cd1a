"""LINE, inbound, beyond what test_samples.py and test_fuzz.py ask of every channel."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.line import Line
from sportello.domain.events import Delete, Edit, Ignored, Inbound, Kind, PlatformEvent, Unreadable
from tests.contract.samples import all_samples
from tests.contract.vectors import other_vectors

LINE = Line()
BOT = "Ub0000000000000000000000000000001"
PERSON = "Uc0000000000000000000000000000201"
CONNECTION = Connection(name="main", secrets=("a-secret",), token="t", accounts=(Account(id=BOT),))


def request(body: bytes, **headers: str) -> Request:
    return Request(method="POST", path="/main", headers=headers, body=body)


def event(type: str = "message", **changes: Any) -> dict[str, Any]:
    whole = {
        "type": type,
        "mode": "active",
        "timestamp": 1_795_461_300_000,
        "source": {"type": "user", "userId": PERSON},
        "webhookEventId": "01EVENT",
        "replyToken": "reply-token",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def read(*events: Any, destination: str | None = BOT) -> list[PlatformEvent]:
    body: dict[str, Any] = {"events": list(events)}
    if destination is not None:
        body["destination"] = destination
    return list(LINE.parse(request(json.dumps(body).encode()), CONNECTION))


def message(**fields: Any) -> dict[str, Any]:
    return event(message={"id": "100", "type": "text", "text": "Hello", **fields})


class TestSignature:
    BODY = b'{"destination":"Uxxx","events":[]}'

    def sign(self, secret: str, body: bytes) -> str:
        return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()

    @pytest.mark.parametrize("vector", other_vectors("line"), ids=lambda vector: vector["expected"])
    def test_the_vectors_hold(self, vector: dict[str, Any]) -> None:
        connection = CONNECTION.model_copy(update={"secrets": (vector["secret"],)})
        body = vector["body"].encode("utf-8")
        signed = {"x-line-signature": vector["expected"]}
        assert LINE.verify(request(body, **signed), connection)
        assert not LINE.verify(request(body + b" ", **signed), connection)
        if "negative" in vector:
            again = json.dumps(json.loads(body)).encode()
            assert not LINE.verify(request(again, **signed), connection)

    def test_it_covers_the_bytes_as_they_came(self) -> None:
        body = '{"events":[{"text":"こんにちは"}]}'.encode()
        proof = self.sign("a-secret", body)
        assert LINE.verify(request(body, **{"x-line-signature": proof}), CONNECTION)
        escaped = json.dumps(json.loads(body), separators=(",", ":")).encode()
        assert not LINE.verify(request(escaped, **{"x-line-signature": proof}), CONNECTION)

    def test_base64_in_another_writing_is_refused(self) -> None:
        proof = self.sign("a-secret", self.BODY)
        for other in (proof.rstrip("="), proof.replace("+", "-"), proof.lower(), f" {proof}"):
            if other != proof:
                assert not LINE.verify(request(self.BODY, **{"x-line-signature": other}), CONNECTION)

    def test_the_token_is_no_secret(self) -> None:
        proof = self.sign(CONNECTION.token, self.BODY)
        assert not LINE.verify(request(self.BODY, **{"x-line-signature": proof}), CONNECTION)


class TestEnvelope:
    @pytest.mark.parametrize("body", [b"{}", b'{"events":null}', b'{"events":{}}', b'{"events":"x"}'])
    def test_a_body_without_events_is_not_lines(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            LINE.parse(request(body), CONNECTION)

    def test_without_a_destination_it_is_the_connections_own(self) -> None:
        (found,) = read(message(), destination=None)
        assert found.account == BOT

    def test_another_accounts_webhook_says_so(self) -> None:
        (found,) = read(message(), destination="Uelse")
        assert found.account == "Uelse"

    @pytest.mark.parametrize(
        "bad", [None, 7, "x", [], {}, {"type": 7}, {"type": "message"}, {"type": "message", "message": []}]
    )
    def test_one_bad_event_holds_up_nobody(self, bad: Any) -> None:
        first, middle, last = read(message(), bad, message(id="101"))
        assert isinstance(middle, Unreadable)
        assert isinstance(first, Inbound)
        assert isinstance(last, Inbound)
        assert (first.id, last.id) == ("100", "101")

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"timestamp": "1795461300000"}, "timestamp"),
            ({"timestamp": None}, "timestamp"),
            ({"source": None}, "source"),
            ({"source": {"type": "user"}}, "source.userId"),
            ({"source": {"type": "user", "userId": 7}}, "source.userId"),
            ({"replyToken": 7}, "replyToken"),
        ],
    )
    def test_what_is_missing_is_named_and_not_quoted(self, changes: dict[str, Any], where: str) -> None:
        (found,) = read({**message(), **changes})
        assert isinstance(found, Unreadable)
        assert where in found.why
        assert PERSON not in found.why


class TestIds:
    def test_a_redelivery_has_the_same_ids(self) -> None:
        again = {**message(), "deliveryContext": {"isRedelivery": True}, "replyToken": "another"}
        first, second = (read(one)[0] for one in (message(), again))
        assert isinstance(first, Inbound)
        assert isinstance(second, Inbound)
        assert (first.id, first.time, first.customer) == (second.id, second.time, second.customer)

    def test_without_an_event_id_the_reply_token_or_the_time_stands_in(self) -> None:
        for token, id in (("a-token", "a-token"), (None, "follow-1795461300000")):
            (found,) = read(event("follow", webhookEventId=None, replyToken=token))
            assert isinstance(found, Inbound)
            assert found.id == id

    def test_edit_and_unsend_name_the_message(self) -> None:
        edited = event("messageEdited", message={"id": "100", "type": "text", "text": "New"})
        unsent = event("unsend", unsend={"messageId": "100"}, replyToken=None)
        (edit, delete) = read(edited, unsent)
        assert isinstance(edit, Edit)
        assert isinstance(delete, Delete)
        assert (edit.original, delete.originals) == ("100", ("100",))


GROUP = {"type": "group", "groupId": "Cgroup", "userId": PERSON}


class TestGroups:
    def speaks(self, *mentionees: dict[str, Any]) -> bool:
        said = {"id": "1", "type": "text", "text": "@x", "mention": {"mentionees": list(mentionees)}}
        (found,) = read(event(source=GROUP, message=said))
        assert isinstance(found, Inbound)
        assert found.customer.id == "Cgroup"
        return found.addressed

    def test_only_a_mention_of_ours_asks_for_an_answer(self) -> None:
        assert self.speaks({"type": "user", "isSelf": True})
        assert not self.speaks({"type": "user", "isSelf": False})
        assert not self.speaks({"type": "all"})
        assert not self.speaks()

    def test_a_source_of_tomorrow_is_kept_where_it_has_an_id(self) -> None:
        (found,) = read(event(source={"type": "square", "squareId": "S1"}, message={"id": "1", "type": "x"}))
        assert isinstance(found, Inbound)
        assert (found.customer.id, found.group, found.addressed) == ("S1", True, False)


class TestContext:
    def test_it_holds_what_an_answer_needs_and_no_more(self) -> None:
        (found,) = read(message(quoteToken="quote-me"))
        assert isinstance(found, Inbound)
        assert found.context == {
            "reply_token": "reply-token",
            "at": "1795461300000",
            "message": "100",
            "quote_token": "quote-me",
        }

    def test_without_a_reply_token_there_is_none(self) -> None:
        (found,) = read(event("unfollow", replyToken=None))
        assert isinstance(found, Inbound)
        assert (found.context, found.detail) == ({}, "blocked")


@pytest.mark.parametrize("field", [{"duration": -1}, {"duration": 10**12}, {"duration": "5"}])
def test_a_length_that_cannot_be_is_told(field: dict[str, Any]) -> None:
    (found,) = read(message(type="audio", **field))
    assert isinstance(found, Unreadable)
    assert "duration" in found.why


def test_a_stickers_words_are_told_only_where_they_are_words() -> None:
    (found,) = read(message(type="sticker", packageId="1", stickerId="2", keywords=[1]))
    assert isinstance(found, Unreadable)
    (bare,) = read(message(type="sticker", packageId="1", stickerId="2"))
    assert isinstance(bare, Inbound)
    assert (bare.media[0].name, bare.media[0].keep) == ("", False)


def test_what_concerns_nobody_is_ignored_by_name() -> None:
    names = "beacon accountLink things membership videoPlayComplete delivery module activated deactivated"
    for name in names.split():
        assert read(event(name)) == [Ignored(account=BOT, why=name)]


def test_every_kind_of_message_has_a_sample() -> None:
    kinds = {
        event["kind"]
        for sample in all_samples("line")
        for event in sample.expect
        if event["event"] == "Inbound"
    }
    assert kinds == {
        *("text", "media", "location", "button", "start", "service", "unsupported"),
    }
    assert {Kind(kind) for kind in kinds}
