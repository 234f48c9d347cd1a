"""Messenger, inbound: who signed it, whose event it is, and bodies that nobody should send."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.messenger import Messenger
from sportello.domain.events import (
    Connected,
    Delete,
    Echo,
    Edit,
    Ignored,
    Inbound,
    Kind,
    PlatformEvent,
    Receipt,
    Unreadable,
)
from tests.contract.samples import wire_bytes
from tests.contract.vectors import meta_vectors

SECRET = "0123456789abcdef0123456789abcdef"
PAGE, CUSTOMER, APP = "100000000000101", "5000000000000201", "900000000000001"
NOW = 1_795_461_300_123
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    accounts=(Account(id=PAGE),),
    settings={"verify_token": "fake-verify", "app_id": APP},
)
MESSENGER = Messenger()


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def signed(body: bytes, header: str | None = None) -> Request:
    value = signature(body) if header is None else header
    return Request(method="POST", path="/main", headers={"x-hub-signature-256": value}, body=body)


def event(key: Any = "message", value: Any = None, **changes: Any) -> dict[str, Any]:
    whole = {"sender": {"id": CUSTOMER}, "recipient": {"id": PAGE}, "timestamp": NOW, key: value} | changes
    return {name: part for name, part in whole.items() if part is not None}


def body_of(*events: Any, key: str = "messaging", entry: Any = PAGE) -> dict[str, Any]:
    return {"object": "page", "entry": [{"id": entry, "time": NOW, key: list(events)}]}


def feed(entry: Any = PAGE, **value: Any) -> dict[str, Any]:
    whole = {
        "item": "comment",
        "verb": "add",
        "comment_id": "8_9",
        "post_id": "1_8",
        "parent_id": "1_8",
        "from": {"id": "77", "name": "Customer Two"},
        "message": "Hello",
        "created_time": 1795461300,
    }
    given = {name: part for name, part in (whole | value).items() if part is not None}
    changes = [{"field": "feed", "value": given}]
    return {"object": "page", "entry": [{"id": entry, "time": 1795461301, "changes": changes}]}


def parse(body: Any, connection: Connection = CONNECTION) -> list[PlatformEvent]:
    raw = body if isinstance(body, bytes) else wire_bytes(body)
    assert MESSENGER.verify(signed(raw), CONNECTION)
    return list(MESSENGER.parse(signed(raw), connection))


def one(*events: Any, **more: Any) -> PlatformEvent:
    found = parse(body_of(*events, **more))
    assert len(found) == 1
    return found[0]


def message(**fields: Any) -> Inbound:
    found = one(event(value={"mid": "m_1", **fields}))
    assert isinstance(found, Inbound)
    return found


class TestSignature:
    def test_published_vectors(self) -> None:
        for vector in (*meta_vectors("A"), *meta_vectors("B"), *meta_vectors("empty body")):
            if "secret" in vector:  # the others name a signature that another form of the body would have
                connection = Connection(name="main", secrets=("older", vector["secret"]))
                request = signed(vector["body_utf8"].encode(), vector["value"])
                assert MESSENGER.verify(request, connection), vector["name"]

    def test_only_the_bytes_that_were_sent_are_signed(self) -> None:
        body = rb'{"object":"page","entry":[],"text":"\u00e4\u00f6\u00e5 \ud83d\ude00 http:\/\/a.b"}'
        header = signature(body)
        assert MESSENGER.verify(signed(body, header), CONNECTION)
        for again in (
            json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode(),
            json.dumps(json.loads(body), separators=(",", ":")).encode(),
            body + b"\n",
        ):
            assert not MESSENGER.verify(signed(again, header), CONNECTION)

    def test_the_older_header_proves_nothing(self) -> None:
        proof = hmac.new(SECRET.encode(), b"{}", hashlib.sha1).hexdigest()
        request = Request(method="POST", headers={"x-hub-signature": f"sha1={proof}"}, body=b"{}")
        assert not MESSENGER.verify(request, CONNECTION)

    def test_the_challenge_comes_back_as_it_is(self) -> None:
        query = {"hub.mode": "subscribe", "hub.verify_token": "fake-verify", "hub.challenge": "007"}
        answer = MESSENGER.handshake(Request(method="GET", query=query), CONNECTION)
        assert answer is not None
        assert (answer.status, answer.body) == (200, "007")


class TestParties:
    def test_numbers_for_ids_become_text(self) -> None:
        numbers = event(value={"mid": "m_1", "text": "x"}, sender={"id": 201}, recipient={"id": int(PAGE)})
        found = one(numbers, entry=int(PAGE))
        assert isinstance(found, Inbound)
        assert (found.account, found.customer.id) == (PAGE, "201")

    def test_another_page_keeps_its_own_id(self) -> None:
        found = one(event(value={"mid": "m_1", "text": "x"}, recipient={"id": "555"}), entry="555")
        assert found.account == "555"

    def test_an_echo_is_the_customers_thread_whatever_the_direction(self) -> None:
        echo = {"mid": "m_1", "text": "x", "is_echo": True}
        for sender, recipient in ((PAGE, CUSTOMER), (CUSTOMER, PAGE)):
            found = one(event(value=echo, sender={"id": sender}, recipient={"id": recipient}))
            assert isinstance(found, Echo)
            assert found.customer.id == CUSTOMER

    def test_what_the_page_wrote_is_an_echo_without_the_mark(self) -> None:
        found = one(event(value={"mid": "m_1", "text": "x"}, sender={"id": PAGE}, recipient={"id": CUSTOMER}))
        assert isinstance(found, Echo)

    @pytest.mark.parametrize(
        ("app", "people_apps", "author"),
        [
            (None, "", "person"),
            (26390203743090, "", "person"),
            (263902037430900, "", "person"),
            (int(APP), "", "automatic"),
            (42, "", "automatic"),
            (42, "41, 42", "person"),
        ],
    )
    def test_who_wrote_an_echo(self, app: int | None, people_apps: str, author: str) -> None:
        connection = CONNECTION.model_copy(update={"settings": {"people_apps": people_apps}})
        echo = {"mid": "m_1", "text": "x", "is_echo": True} | ({"app_id": app} if app else {})
        body = body_of(event(value=echo, sender={"id": PAGE}, recipient={"id": CUSTOMER}))
        (found,) = parse(body, connection)
        assert isinstance(found, Echo)
        assert found.author == author

    def test_our_own_unsend_and_edit_are_no_customers(self) -> None:
        ours = {"sender": {"id": PAGE}, "recipient": {"id": CUSTOMER}}
        unsent = event(value={"mid": "m_1", "is_deleted": True, "is_echo": True}, **ours)
        edited = event("message_edit", {"mid": "m_1", "text": "x"}, **ours)
        assert [type(found) for found in parse(body_of(unsent, edited))] == [Ignored, Ignored]

    def test_nobody_is_unreadable(self) -> None:
        found = one(event(value={"mid": "m_1", "text": "x"}, sender=None))
        assert isinstance(found, Unreadable)
        assert found.why == "messaging: no customer"


class TestTimes:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (NOW, NOW),
            (str(NOW), NOW),
            (1795461300, 1_795_461_300_000),
            ("1795461300", 1_795_461_300_000),
            ("2026-11-23T19:15:00+0000", 1_795_461_300_000),
            (None, None),
        ],
    )
    def test_all_forms_in_use(self, given: Any, expected: int | None) -> None:
        found = one(event(value={"mid": "m_1", "text": "x"}, timestamp=given))
        assert isinstance(found, Inbound)
        assert found.time == expected

    @pytest.mark.parametrize("given", ["", "yesterday", "-1", "2026-11-23T19:15:00", True, [], {}, 1.5])
    def test_others_make_one_event_unreadable_at_most(self, given: Any) -> None:
        broken = event(value={"mid": "m_2", "text": "x"}, timestamp=given)
        found = parse(body_of(broken, event(value={"mid": "m_1", "text": "x"})))
        assert isinstance(found[0], Inbound if given == "" else Unreadable)
        assert isinstance(found[1], Inbound)

    def test_a_receipt_without_a_time_has_that_of_its_watermark(self) -> None:
        found = one(event("delivery", {"watermark": NOW - 5}, timestamp=None))
        assert isinstance(found, Receipt)
        assert (found.time, found.until, found.status) == (NOW - 5, NOW - 5, "delivered")

    def test_without_a_watermark_the_ids_tell(self) -> None:
        found = parse(body_of(event("delivery", {"mids": ["m_1", "m_2"]})))
        assert [(one.id, one.until) for one in found if isinstance(one, Receipt)] == [
            ("m_1", None),
            ("m_2", None),
        ]

    @pytest.mark.parametrize("kind", ["read", "delivery"])
    def test_a_receipt_of_nothing_is_unreadable(self, kind: str) -> None:
        assert isinstance(one(event(kind, {})), Unreadable)


class TestContent:
    @pytest.mark.parametrize("payload", [None, "null", "https://example.com", [], {}])
    def test_a_link_may_have_any_payload(self, payload: Any) -> None:
        found = message(attachments=[{"type": "fallback", "title": "Shop", "payload": payload}])
        assert (found.kind, found.text) == (Kind.TEXT, "Shop")

    def test_a_link_without_anything_is_kept_as_it_came(self) -> None:
        found = message(attachments=[{"type": "fallback"}])
        assert (found.kind, found.detail, found.fragment is not None) == (Kind.UNSUPPORTED, "fallback", True)

    @pytest.mark.parametrize("kind", ["image", "video", "audio", "file"])
    def test_a_file_without_its_address_is_unsupported(self, kind: str) -> None:
        found = message(attachments=[{"type": kind, "payload": {}}])
        assert (found.kind, found.detail, found.media) == (Kind.UNSUPPORTED, kind, ())
        assert found.fragment is not None

    def test_a_text_beside_such_a_file_is_read(self) -> None:
        found = message(text="Look", attachments=[{"type": "image", "payload": {}}])
        assert (found.kind, found.text, found.detail) == (Kind.TEXT, "Look", "image")

    def test_two_pictures_stay_two(self) -> None:
        picture = {"type": "image", "payload": {"url": "https://scontent.xx.fbcdn.net/1.jpg"}}
        assert len(message(attachments=[picture, picture]).media) == 2

    @pytest.mark.parametrize(
        ("url", "is_file"),
        [
            ("https://video.xx.fbcdn.net/r.mp4", True),
            ("https://lookaside.instagram.com/r", True),
            ("http://video.xx.fbcdn.net/r.mp4", False),
            ("https://fbcdn.net.example.com/r.mp4", False),
            ("https://evilfbcdn.net/r.mp4", False),
            ("https://www.facebook.com/reel/1", False),
            ("https://[broken", False),
        ],
    )
    def test_only_metas_own_addresses_are_files_to_fetch(self, url: str, is_file: bool) -> None:
        found = message(attachments=[{"type": "reel", "payload": {"url": url}}])
        assert bool(found.media) is is_file
        assert found.detail == "reel"
        assert is_file or found.text == url

    def test_an_empty_message_is_unsupported(self) -> None:
        found = message()
        assert (found.kind, found.detail) == (Kind.UNSUPPORTED, "empty")

    def test_a_type_that_is_no_word_stays_out_of_the_detail(self) -> None:
        assert message(attachments=[{"type": "x" * 200}]).detail == "other"

    @pytest.mark.parametrize("setting", ["", "BEGIN"])
    def test_the_button_that_begins_has_the_payload_of_the_setting(self, setting: str) -> None:
        connection = CONNECTION.model_copy(update={"settings": {"get_started": setting}})
        payloads = ("GET_STARTED", "BEGIN", "OTHER")
        found = [
            parse(body_of(event("postback", {"title": "T", "payload": given})), connection)[0]
            for given in payloads
        ]
        kinds = [one.kind for one in found if isinstance(one, Inbound)]
        begins = [Kind.START, Kind.BUTTON] if not setting else [Kind.BUTTON, Kind.START]
        assert kinds == [*begins, Kind.BUTTON]

    def test_events_without_an_id_have_one_that_a_redelivery_has_too(self) -> None:
        ids = set()
        for emoji, time in (("❤", NOW), ("😢", NOW), ("❤", NOW + 1), ("❤", NOW)):
            found = one(event("reaction", {"mid": "m_1", "action": "react", "emoji": emoji}, timestamp=time))
            assert isinstance(found, Inbound)
            ids.add(found.id)
        assert len(ids) == 3

    def test_a_reaction_without_a_sign_is_named(self) -> None:
        found = one(event("reaction", {"mid": "m_1", "action": "react", "reaction": "other"}))
        assert isinstance(found, Inbound)
        assert found.text == "other"


class TestStandby:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("message", {"mid": "m_1", "text": "x"}),
            ("message", {"mid": "m_1", "is_unsupported": True}),
            ("postback", {"title": "Menu"}),
            ("reaction", {"mid": "m_0", "action": "react", "emoji": "❤"}),
            ("telepathy", {}),
        ],
    )
    def test_it_owes_nothing(self, key: str, value: Any) -> None:
        found = one(event(key, value), key="standby")
        assert isinstance(found, Inbound)
        assert (found.addressed, found.detail) == (False, "standby")


class TestPolicy:
    @pytest.mark.parametrize("name", ["policy_enforcement", "policy-enforcement"])
    @pytest.mark.parametrize(("action", "enabled"), [("block", False), ("unblock", True)])
    def test_a_block_cuts_the_page_off(self, name: str, action: str, enabled: bool) -> None:
        found = one(event(name, {"action": action}, sender=None))
        assert isinstance(found, Connected)
        assert found.enabled is enabled

    def test_a_warning_does_not(self) -> None:
        found = one(event("policy_enforcement", {"action": "warning"}, sender=None))
        assert found == Ignored(account=PAGE, why="policy_enforcement warning")

    def test_the_test_button_cuts_nothing_off(self) -> None:
        found = one(event("policy_enforcement", {"action": "block"}, sender=None), entry="0")
        assert isinstance(found, Ignored)


class TestComments:
    def test_one_author_below_one_post_is_one_thread(self) -> None:
        bodies = [
            feed(),
            feed(comment_id="8_10", parent_id="8_9"),
            feed(post_id="1_7", parent_id="1_7"),
            feed(**{"from": {"id": "78"}}),
        ]
        found = [parse(body)[0] for body in bodies]
        ids = [one.customer.id for one in found if isinstance(one, Inbound)]
        assert ids == ["1_8:77", "1_8:77", "1_7:77", "1_8:78"]

    def test_older_bodies_name_the_sender_elsewhere(self) -> None:
        (found,) = parse(feed(sender_id=77, sender_name="Customer Two", **{"from": None}))
        assert isinstance(found, Inbound)
        assert (found.customer.id, found.customer.name) == ("1_8:77", "Customer Two")

    @pytest.mark.parametrize("verb", ["add", "edited", "remove", "hide"])
    @pytest.mark.parametrize("author", [{"from": {"id": PAGE}}, {"from": None, "sender_id": int(PAGE)}])
    def test_the_pages_own_never_comes_back_as_a_customers(self, verb: str, author: dict[str, Any]) -> None:
        (found,) = parse(feed(verb=verb, **author))
        assert found == Ignored(account=PAGE, why=f"own feed comment {verb}")

    @pytest.mark.parametrize("verb", ["edited", "remove"])
    def test_without_an_author_nobody_knows_whose_thread(self, verb: str) -> None:
        (found,) = parse(feed(verb=verb, **{"from": None}))
        assert found == Ignored(account=PAGE, why=f"feed comment {verb} without author")

    def test_a_post_that_is_changed_or_removed_by_its_visitor(self) -> None:
        edited, removed = (parse(feed(item="post", verb=verb))[0] for verb in ("edit", "remove"))
        assert isinstance(edited, Edit)
        assert isinstance(removed, Delete)
        assert (edited.original, removed.originals) == ("1_8", ("1_8",))

    def test_a_visitors_picture_has_its_link(self) -> None:
        (found,) = parse(feed(item="photo", link="https://scontent.xx.fbcdn.net/1.jpg", message=None))
        assert isinstance(found, Inbound)
        assert [media.url for media in found.media] == ["https://scontent.xx.fbcdn.net/1.jpg"]

    def test_a_comment_without_words_is_kept_as_it_came(self) -> None:
        (found,) = parse(feed(message=None))
        assert isinstance(found, Inbound)
        assert (found.kind, found.fragment is not None) == (Kind.UNSUPPORTED, True)

    @pytest.mark.parametrize("item", ["reaction", "like", "share", "album", "event", ""])
    def test_what_asks_for_nothing_is_named(self, item: str) -> None:
        (found,) = parse(feed(item=item))
        assert isinstance(found, Ignored)

    def test_a_comment_without_its_ids_is_unreadable(self) -> None:
        for missing in ("comment_id", "post_id"):
            (found,) = parse(feed(**{missing: None}))
            assert found.model_dump()["why"] == f"change: {missing} is missing"


class TestOddBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"7",
            b'"text"',
            b"{",
            b"\xff\xfe\x00",
            b"[[]]",
            b'{"object":"instagram","entry":[]}',
            b'{"object":"page"}',
            b'{"object":"page","entry":{}}',
            b'{"object":["page"],"entry":[]}',
            b'{"object":"page","entry":[NaN]}',
            b'{"object":"page","entry":' + b"[" * 70 + b"]" * 70 + b"}",
        ],
    )
    def test_they_are_unparseable_and_say_nothing_of_their_content(self, body: bytes) -> None:
        with pytest.raises(Unparseable) as caught:
            parse(body)
        assert len(str(caught.value)) < 100
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("body", [b"[]", b'{"object":"page","entry":[]}'])
    def test_nothing_at_all_is_named(self, body: bytes) -> None:
        assert parse(body) == [Ignored(account=PAGE, why="no entries")]

    def test_other_objects_of_the_app_are_named(self) -> None:
        body = {"object": "permissions", "entry": [{"id": "0", "changes": []}]}
        assert parse(body) == [Ignored(account=PAGE, why="object permissions")]

    @pytest.mark.parametrize("part", [None, 7, "x", [], True])
    def test_other_types_make_one_part_unreadable(self, part: Any) -> None:
        good = event(value={"mid": "m_1", "text": "x"})
        assert [type(found) for found in parse(body_of(part, good))] == [Unreadable, Inbound]

    def test_unreadable_names_the_field_and_not_the_words(self) -> None:
        found = one(event(value={"mid": "m_1", "text": {"secret words": 1}}))
        assert isinstance(found, Unreadable)
        assert found.why == "messaging: text is not a text"

    def test_lone_surrogates_become_text_that_can_be_stored(self) -> None:
        raw = wire_bytes(body_of(event(value={"mid": "m_1", "text": "a SURROGATE b"})))
        (found,) = parse(raw.replace(b"SURROGATE", b"\\ud800"))
        assert isinstance(found, Inbound)
        assert found.text == "a \ufffd b"
