"""X, inbound: who signed it, challenges, and what is odd in its two dialects."""

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.x import X
from sportello.channels.x_content import time_in_id
from sportello.domain.events import (
    Delete,
    Echo,
    Ignored,
    Inbound,
    Kind,
    PlatformEvent,
    Receipt,
    Unreadable,
)
from tests.contract.samples import wire_bytes
from tests.contract.vectors import meta_vectors

SECRET = "consumer-secret"
US, CUSTOMER = "9000000000000000001", "8000000000000000001"
CONNECTION = Connection(name="main", secrets=(SECRET,), accounts=(Account(id=US, name="SampleDesk"),))
CHANNEL = X()
TIME = 1_795_461_300_000


def proof(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def request(body: bytes, **headers: str) -> Request:
    return Request(method="POST", path="/main", headers=headers, body=body)


def read(body: Any) -> list[PlatformEvent]:
    return list(CHANNEL.parse(request(wire_bytes(body)), CONNECTION))


def activity(kind: str, payload: Any, **more: Any) -> PlatformEvent:
    data = {"event_uuid": "1", "filter": {"user_id": US}, "event_type": kind, "payload": payload, **more}
    (event,) = read({"data": data})
    return event


def post(text: str = "@SampleDesk dove siete?", **more: Any) -> dict[str, Any]:
    given = {"id": "2100000000000000001", "author_id": CUSTOMER, "created_at": "2026-11-23T19:15:00.000Z"}
    return {**given, "conversation_id": "2100000000000000001", "text": text, **more}


def mention(text: str = "@SampleDesk dove siete?", **more: Any) -> Inbound:
    event = activity("post.mention.create", post(text, **more))
    assert isinstance(event, Inbound), event
    return event


def message(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    created = {"target": {"recipient_id": US}, "sender_id": CUSTOMER, "message_data": data}
    return {
        "type": "message_create",
        "id": "2100000000000001001",
        "created_timestamp": "1795461300000",
        "message_create": {**created, **more},
    }


def direct(data: dict[str, Any]) -> Inbound:
    event = activity("dm.received", {"direct_message_events": [message(data)]})
    assert isinstance(event, Inbound), event
    return event


class TestSignature:
    def test_published_vectors(self) -> None:
        for vector in meta_vectors("X-POST"):
            connection = Connection(name="main", secrets=("older", vector["secret"]))
            body = vector["body_utf8"].encode()
            signed = request(body, **{vector["header"]: vector["value"]})
            assert CHANNEL.verify(signed, connection)
            assert not CHANNEL.verify(request(body + b" ", **dict(signed.headers)), connection)

    def test_a_body_by_hand(self) -> None:
        body = b'{"for_user_id":"2244994945"}'
        signed = request(body, **{"x-twitter-webhooks-signature": proof(body)})
        assert CHANNEL.verify(signed, CONNECTION)

    def test_hexadecimal_is_not_what_x_sends(self) -> None:
        body = b"{}"
        hexadecimal = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        for value in (hexadecimal, proof(body).rstrip("="), proof(body).removeprefix("sha256=")):
            assert not CHANNEL.verify(request(body, **{"x-twitter-webhooks-signature": value}), CONNECTION)

    def test_the_client_secret_of_oauth_2_counts_too(self) -> None:
        body, header = b"{}", "x-twitter-webhooks-signature-oauth2"
        newer = CONNECTION.model_copy(update={"settings": {"client_secret": "client"}})
        assert CHANNEL.verify(request(body, **{header: proof(body, "client")}), newer)
        assert CHANNEL.verify(request(body, **{"x-twitter-webhooks-signature": proof(body)}), newer)
        assert not CHANNEL.verify(request(body, **{header: proof(body, "client")}), CONNECTION)

    def test_a_body_written_again_is_not_what_was_signed(self) -> None:
        body = b'{"a": "\\u00e8"}'
        again = json.dumps(json.loads(body), ensure_ascii=False).encode()
        assert not CHANNEL.verify(request(again, **{"x-twitter-webhooks-signature": proof(body)}), CONNECTION)


class TestChallenge:
    def ask(self, connection: Connection = CONNECTION, method: str = "GET", **query: str) -> Any:
        return CHANNEL.handshake(Request(method=method, path="/main", query=query), connection)

    def test_published_vectors(self) -> None:
        for vector in meta_vectors("X-CRC"):
            connection = Connection(name="main", secrets=(vector["secret"], "older"))
            answer = self.ask(connection, crc_token=vector["crc_token"])
            assert json.loads(answer.body) == vector["response"]
            assert (answer.status, answer.content_type) == (200, "application/json")

    def test_it_is_answered_every_time_with_the_current_secret(self) -> None:
        expected = {"response_token": proof(b"again")}
        for _ in range(2):
            assert json.loads(self.ask(crc_token="again").body) == expected

    def test_the_client_secret_comes_first(self) -> None:
        newer = CONNECTION.model_copy(update={"settings": {"client_secret": "client"}})
        assert json.loads(self.ask(newer, crc_token="t").body) == {"response_token": proof(b"t", "client")}

    def test_what_is_no_challenge(self) -> None:
        assert self.ask() is None
        assert self.ask(crc_token="") is None
        assert self.ask(method="POST", crc_token="t") is None

    def test_nobody_has_a_body_signed_by_asking_for_a_challenge(self) -> None:
        forged = json.dumps({"for_user_id": US, "direct_message_events": []})
        for body in (forged, "not JSON", "[]", "null"):
            answer = self.ask(crc_token=body)
            given = json.loads(answer.body)["response_token"] if answer.status == 200 else ""
            signed = request(body.encode(), **{"x-twitter-webhooks-signature": given})
            assert not CHANNEL.verify(signed, CONNECTION), body
        assert self.ask(crc_token=forged).status == 403

    def test_without_a_secret_nothing_is_proved(self) -> None:
        assert self.ask(Connection(name="main", secrets=("",)), crc_token="t").status == 403


class TestNothingIsLost:
    @staticmethod
    def message(id: str) -> dict[str, Any]:
        words = {"sender_id": CUSTOMER, "target": {"recipient_id": US}, "message_data": {"text": id}}
        return {"id": id, "created_timestamp": str(TIME), "message_create": words}

    def test_several_messages_in_one_event(self) -> None:
        payload = {"direct_message_events": [self.message("11"), self.message("12")]}
        data = {"filter": {"user_id": US}, "event_type": "dm.received", "payload": payload}
        found = read({"data": data})
        assert [event.id for event in found if isinstance(event, Inbound)] == ["11", "12"]

    def test_two_long_ids_are_not_cut_to_one(self) -> None:
        for kind in ("chat.received", "thing.of_tomorrow"):
            events = [
                activity(kind, {"id": "a" * 64 + end, "sender_id": CUSTOMER, "created_at_msec": str(TIME)})
                for end in "bc"
            ]
            ids = {event.id for event in events if isinstance(event, Inbound)}
            assert len(ids) == 2 or kind != "chat.received"
            assert "a" * 64 not in ids


class TestThreads:
    def test_a_thread_is_one_person_in_one_conversation(self) -> None:
        first = mention()
        later = mention(id="2100000000000000009", in_reply_to_tweet_id="2100000000000000008")
        other = mention(id="2100000000000000010", author_id="7", in_reply_to_tweet_id="2100000000000000001")
        assert first.customer.id == later.customer.id == f"2100000000000000001:{CUSTOMER}"
        assert other.customer.id == "2100000000000000001:7"
        assert later.customer.address == f"post:2100000000000000009:{CUSTOMER}"

    @pytest.mark.parametrize("kind", ["post.mention.create", "post.reply.create", "post.quote.create"])
    def test_one_post_under_several_names_is_one_message(self, kind: str) -> None:
        event = activity(kind, post())
        assert isinstance(event, Inbound)
        assert (event.id, event.customer.id) == (mention().id, mention().customer.id)

    def test_without_a_conversation_the_post_answered_stands_for_it(self) -> None:
        event = mention(conversation_id=None, in_reply_to_tweet_id="42")
        assert event.customer.id == f"42:{CUSTOMER}"

    def test_our_own_posts_under_any_name(self) -> None:
        assert activity("post.mention.create", post(author_id=US)) == Ignored(account=US, why="own post")
        thread = activity("post.create", post(author_id=US, in_reply_to_tweet_id="5", in_reply_to_user_id=US))
        assert thread == Ignored(account=US, why="own post")
        answer = activity(
            "post.mention.create", post(author_id=US, in_reply_to_tweet_id="5", in_reply_to_user_id="7")
        )
        assert isinstance(answer, Echo)
        assert (answer.public, answer.customer.id) == (True, "2100000000000000001:7")

    def test_a_repost_under_another_name_is_none_of_ours(self) -> None:
        spread = post(referenced_tweets=[{"type": "retweeted", "id": "1"}])
        assert activity("post.mention.create", spread) == Ignored(account=US, why="repost")

    def test_a_deleted_post_is_taken_from_the_conversation_that_it_began(self) -> None:
        event = activity("post.delete", {"id": "2100000000000000001", "author_id": CUSTOMER})
        assert isinstance(event, Delete)
        assert event.customer.id == mention().customer.id
        assert event.originals == (mention().id,)


class TestWords:
    def test_what_x_escapes_is_shown_as_written(self) -> None:
        assert mention("1 &lt; 2 &amp;&amp; &amp;lt; &gt;").text == "1 < 2 && &lt; >"

    def test_names_before_an_answer_are_cut_and_others_stay(self) -> None:
        answer = {"in_reply_to_tweet_id": "5"}
        assert mention("@a @SampleDesk dove siete, @b?", **answer).text == "dove siete, @b?"
        assert mention("@SampleDesk", **answer).text == "@SampleDesk"
        assert mention("@SampleDesk dove siete?").text == "@SampleDesk dove siete?"

    def test_the_language_is_taken_where_there_are_words_enough(self) -> None:
        assert mention("@SampleDesk ma dove siete?", lang="it").customer.language == "it"
        assert mention("@SampleDesk dove siete?", lang="it").customer.language == ""
        assert mention("@SampleDesk ma dove siete?", lang="und").customer.language == ""

    def test_a_message_with_nothing_but_a_file_has_no_words(self) -> None:
        medium = {"id_str": "1", "type": "photo", "media_url_https": "https://ton.twitter.com/1.jpg"}
        data = {"text": " https://t.co/a", "attachment": {"type": "media", "media": medium}}
        data["entities"] = {
            "urls": [{"url": "https://t.co/a", "expanded_url": "https://x.com/a/status/1/photo/1"}]
        }
        event = direct(data)
        assert (event.kind, event.text) == (Kind.MEDIA, "")

    @pytest.mark.parametrize(
        ("event", "detail", "asks"),
        [
            (mention("@SampleDesk aiuto"), "help", True),
            (mention("@SampleDesk"), "no_words", False),
            (mention("@SampleDesk complimenti!"), "praise", False),
        ],
    )
    def test_each_post_says_why_it_asks_or_does_not(self, event: Inbound, detail: str, asks: bool) -> None:
        assert (event.detail, event.addressed) == (detail, asks)

    def test_a_direct_message_always_asks(self) -> None:
        assert direct({"text": "grazie"}).addressed


class TestFiles:
    def film(self, **more: Any) -> dict[str, Any]:
        variants = [
            {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/a.m3u8"},
            {"bitrate": 256000, "content_type": "video/mp4", "url": "https://video.twimg.com/small.mp4"},
            {"bitrate": 832000, "content_type": "video/mp4", "url": "https://video.twimg.com/large.mp4"},
        ]
        return {"id_str": "7", "type": "video", "media_url_https": "https://pbs.twimg.com/still.jpg", **more,
                "video_info": {"duration_millis": 12400, "variants": variants}}  # fmt: skip

    def test_the_largest_film_is_taken_and_not_its_still(self) -> None:
        data = {"text": "", "attachment": {"type": "media", "media": self.film()}}
        (medium,) = direct(data).media
        assert (medium.kind, medium.url) == ("video", "https://video.twimg.com/large.mp4")
        assert (medium.mime, medium.seconds) == ("video/mp4", 12)

    def test_a_moving_picture(self) -> None:
        data = {"text": "", "attachment": {"type": "media", "media": self.film(type="animated_gif")}}
        assert direct(data).media[0].kind == "animation"

    @pytest.mark.parametrize(("key", "kind"), [("3_9", "image"), ("7_9", "video"), ("16_9", "animation")])
    def test_of_a_key_alone_the_kind_is_known(self, key: str, kind: str) -> None:
        (medium,) = mention(attachments={"media_keys": [key]}).media
        assert (medium.kind, medium.id, medium.url) == (kind, f"2100000000000000001/{key}", "")

    def test_a_place_with_a_name(self) -> None:
        box = {"coordinates": [[[9.1, 45.4], [9.3, 45.4]]], "type": "Polygon"}
        place = {
            "type": "shared_place",
            "shared_place": {"place": {"full_name": "Milano", "bounding_box": box}},
        }
        event = direct({"text": "", "attachment": {"type": "location", "location": place}})
        assert event.place is not None
        assert (event.place.name, event.place.latitude, event.place.longitude) == ("Milano", 45.4, 9.1)


class TestTimes:
    @pytest.mark.parametrize(
        "given",
        ["2026-11-23T19:15:00.000Z", "2026-11-23T20:15:00+01:00", "Mon Nov 23 19:15:00 +0000 2026",
         "Mon Nov 23 20:15:00 +0100 2026", "1795461300000", 1795461300000],
    )  # fmt: skip
    def test_every_form(self, given: Any) -> None:
        assert mention(created_at=given).time == TIME

    @pytest.mark.parametrize(
        "given", [None, "", "yesterday", "Mon Foo 23 19:15:00 +0000 2026", -1, 1.5, "9" * 40, "2026-11-23",
                  "0001-01-01T00:00:00+14:00", {}],
    )  # fmt: skip
    def test_what_is_no_time_cannot_be_read(self, given: Any) -> None:
        assert isinstance(activity("post.mention.create", post(created_at=given)), Unreadable)

    def test_an_id_tells_when_it_was_made(self) -> None:
        assert time_in_id("954491830116155396") == 1516403560557
        assert time_in_id("abc") is None


class TestReceipts:
    def test_reading_covers_everything_up_to_the_message_named(self) -> None:
        body = {
            "for_user_id": US,
            "direct_message_mark_read_events": [
                {
                    "created_timestamp": "1516403570000",
                    "sender_id": CUSTOMER,
                    "last_read_event_id": "954491830116155396",
                }
            ],
        }
        (event,) = read(body)
        assert isinstance(event, Receipt)
        assert (event.until, event.status) == (1516403560557, "read")
        assert event.customer is not None
        assert event.customer.id == CUSTOMER

    def test_our_own_reading_is_no_receipt(self) -> None:
        event = {"created_timestamp": "1516403570000", "sender_id": US, "last_read_event_id": "1"}
        assert read({"for_user_id": US, "direct_message_mark_read_events": [event]}) == [
            Ignored(account=US, why="read by us")
        ]


class TestOddBodies:
    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"null", b"{}", b'{"x":1}', b"\xff", b'{"response_token":"sha256=a"}']
    )
    def test_what_is_not_xs_at_all(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            CHANNEL.parse(request(body), CONNECTION)

    def test_one_bad_entry_does_not_take_the_others_with_it(self) -> None:
        good = message({"text": "Buongiorno"})
        found = read({"for_user_id": US, "direct_message_events": [{"type": "message_create"}, good, None]})
        assert [type(event) for event in found] == [Unreadable, Inbound, Unreadable]

    def test_several_events_in_one_body_are_all_taken(self) -> None:
        data = {"event_type": "post.mention.create", "filter": {"user_id": US}, "payload": post()}
        found = read({"data": [data, {"event_type": "like.create"}]})
        assert [type(event) for event in found] == [Inbound, Ignored]

    @pytest.mark.parametrize("body", [{"data": []}, {"for_user_id": US}, {"for_user_id": US, "users": {}}])
    def test_nothing_inside_is_said(self, body: Any) -> None:
        assert read(body) == [Ignored(account=US, why="no events")]

    def test_words_are_not_in_what_is_said_of_an_unreadable_entry(self) -> None:
        event = activity("post.mention.create", post("secret words", author_id=["secret"]))
        assert isinstance(event, Unreadable)
        assert "secret" not in event.why

    def test_the_conversation_token_of_an_encrypted_chat_is_not_kept(self) -> None:
        payload = {
            "id": "u-1", "sender_id": CUSTOMER, "created_at_msec": "1795461300000",
            "conversation_token": "canary", "encoded_event": "canary", "conversation_id": f"{CUSTOMER}:{US}",
        }  # fmt: skip
        event = activity("chat.received", payload)
        assert isinstance(event, Inbound)
        assert event.detail == "encrypted"
        assert "canary" not in event.model_dump_json()

    def test_an_unknown_event_without_a_writer_goes_to_quarantine(self) -> None:
        assert isinstance(activity("poll.closed", {"id": "1"}), Unreadable)

    def test_rounded_numbers_are_not_taken_for_ids(self) -> None:
        tweet = {
            "id": 2.1e18, "id_str": "2100000000000000021", "created_at": "Mon Nov 23 19:15:00 +0000 2026",
            "text": "@SampleDesk?", "user": {"id": 8.0e18, "id_str": CUSTOMER, "name": "Customer One"},
        }  # fmt: skip
        (event,) = read({"for_user_id": US, "tweet_create_events": [tweet]})
        assert isinstance(event, Inbound)
        assert (event.id, event.customer.id) == ("2100000000000000021", f"2100000000000000021:{CUSTOMER}")
