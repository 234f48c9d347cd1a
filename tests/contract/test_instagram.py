"""Instagram, inbound: where it differs from Messenger, whose reader it shares."""

import hashlib
import hmac
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.instagram import Instagram
from sportello.domain.events import Echo, Ignored, Inbound, Kind, PlatformEvent, Receipt, Unreadable
from tests.contract.samples import wire_bytes
from tests.contract.vectors import meta_vectors

SECRET = "0123456789abcdef0123456789abcdef"
ACCOUNT, SCOPED, PAGE, CUSTOMER = "17840000000000101", "26000000000000101", "100000000000101", "6000000000201"
NOW = 1_795_461_300_123
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    accounts=(Account(id=ACCOUNT),),
    settings={"app_scoped_id": SCOPED, "page_id": PAGE},
)
INSTAGRAM = Instagram()
CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1"


def signed(body: bytes, secret: str = SECRET) -> Request:
    proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Request(method="POST", headers={"x-hub-signature-256": f"sha256={proof}"}, body=body)


def event(
    key: str = "message", value: Any = None, sender: str = CUSTOMER, recipient: str = ACCOUNT
) -> dict[str, Any]:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": NOW, key: value}


def body_of(*events: Any, key: str = "messaging", entry: Any = ACCOUNT) -> dict[str, Any]:
    return {"object": "instagram", "entry": [{"id": entry, "time": NOW, key: list(events)}]}


def comment(field: Any = "comments", **value: Any) -> dict[str, Any]:
    whole = {"id": "17", "text": "Hello", "media": {"id": "M"}, "from": {"id": "9", "username": "two"}}
    given = {name: part for name, part in (whole | value).items() if part is not None}
    return body_of({"field": field, "value": given}, key="changes")


def parse(body: Any, connection: Connection = CONNECTION) -> list[PlatformEvent]:
    request = signed(body if isinstance(body, bytes) else wire_bytes(body))
    assert INSTAGRAM.verify(request, connection)
    return list(INSTAGRAM.parse(request, connection))


def one(*events: Any, **more: Any) -> PlatformEvent:
    (found,) = parse(body_of(*events, **more))
    return found


def message(**fields: Any) -> Inbound:
    found = one(event(value={"mid": "m_1", **fields}))
    assert isinstance(found, Inbound)
    return found


class TestSignature:
    def test_published_vectors(self) -> None:
        for vector in meta_vectors("A"):
            connection = Connection(name="main", secrets=("older", vector["secret"]))
            request = Request(
                method="POST",
                headers={"x-hub-signature-256": vector["value"]},
                body=vector["body_utf8"].encode(),
            )
            assert INSTAGRAM.verify(request, connection)

    def test_whichever_of_the_app_s_two_secrets_signs(self) -> None:
        both = CONNECTION.model_copy(update={"settings": {"second_secret": "the-other"}})
        assert INSTAGRAM.verify(signed(b"{}"), both)
        assert INSTAGRAM.verify(signed(b"{}", "the-other"), both)
        assert not INSTAGRAM.verify(signed(b"{}", "a-third"), both)
        assert not INSTAGRAM.verify(signed(b"{}", "the-other"), CONNECTION)
        assert not INSTAGRAM.verify(signed(b"{}", ""), CONNECTION)


class TestParties:
    @pytest.mark.parametrize("ours", [ACCOUNT, SCOPED, PAGE])
    @pytest.mark.parametrize("entry", [ACCOUNT, SCOPED, PAGE, CUSTOMER])
    def test_the_accounts_three_ids_are_one_account(self, ours: str, entry: str) -> None:
        written = one(event(value={"mid": "m_1", "text": "x"}, recipient=ours), entry=entry)
        echo = one(
            event(value={"mid": "m_2", "text": "x", "is_echo": True}, sender=ours, recipient=CUSTOMER),
            entry=entry,
        )
        assert isinstance(written, Inbound)
        assert isinstance(echo, Echo)
        for found in (written, echo):
            assert (found.account, found.customer.id) == (ACCOUNT, CUSTOMER)

    def test_another_account_keeps_its_own_id(self) -> None:
        assert one(event(value={"mid": "m_1", "text": "x"}, recipient="555"), entry="555").account == "555"

    def test_an_echo_tells_nothing_of_its_writer(self) -> None:
        echo = {"mid": "m_1", "text": "x", "is_echo": True}
        found = one(event(value=echo, sender=ACCOUNT, recipient=CUSTOMER))
        assert isinstance(found, Echo)
        assert (found.tag, found.author) == ("", "person")
        assert INSTAGRAM.echoes_untagged

    def test_a_bare_array_has_as_many_bodies(self) -> None:
        bodies = [body_of(event(value={"mid": f"m_{number}", "text": "x"})) for number in (1, 2)]
        found = parse(wire_bytes(bodies))
        assert [one.id for one in found if isinstance(one, Inbound)] == ["m_1", "m_2"]


class TestContent:
    def test_a_story_that_is_answered_is_never_fetched(self) -> None:
        found = message(text="Nice", reply_to={"story": {"id": "S", "url": CDN}})
        assert (found.kind, found.text, found.quote) == (Kind.TEXT, "Nice", "")
        assert [(media.id, media.keep) for media in found.media] == [("S", False)]

    def test_a_story_answered_with_something_that_is_withheld(self) -> None:
        found = message(reply_to={"story": {"id": "S"}})
        assert (found.kind, found.detail, found.addressed) == (Kind.UNSUPPORTED, "story_reply", True)

    @pytest.mark.parametrize("kind", ["story_mention", "story", "ig_story"])
    def test_stories_are_never_fetched(self, kind: str) -> None:
        found = message(attachments=[{"type": kind, "payload": {"url": CDN}}])
        assert [media.keep for media in found.media] == [False]
        assert found.addressed is (kind != "story_mention")

    @pytest.mark.parametrize("kind", ["share", "ig_post", "ig_reel", "reel", "media"])
    def test_what_is_shared_is_a_file_or_a_link(self, kind: str) -> None:
        file = message(attachments=[{"type": kind, "payload": {"url": CDN, "title": "T"}}])
        link = message(
            attachments=[{"type": kind, "payload": {"url": "https://example.com/p", "title": "T"}}]
        )
        assert (file.kind, file.text, file.media[0].url, file.detail) == (Kind.MEDIA, "T", CDN, kind)
        assert (link.kind, link.text, link.media, link.detail) == (
            Kind.TEXT,
            "T\nhttps://example.com/p",
            (),
            kind,
        )

    @pytest.mark.parametrize("flag", [True, "true"])
    def test_unsupported_comes_in_two_forms(self, flag: Any) -> None:
        assert message(is_unsupported=flag).kind is Kind.UNSUPPORTED

    def test_read_names_a_message(self) -> None:
        found = one(event("read", {"mid": "m_9"}))
        assert isinstance(found, Receipt)
        assert (found.id, found.until, found.customer and found.customer.id) == ("m_9", None, CUSTOMER)

    def test_the_account_s_test_with_itself_is_nobody_s_message(self) -> None:
        talk = {"mid": "m_1", "text": "x", "is_self": True, "is_echo": True}
        assert isinstance(one(event(value=talk, sender=ACCOUNT)), Ignored)


class TestComments:
    def test_one_author_below_one_post_is_one_thread(self) -> None:
        bodies = [
            comment(),
            comment(id="18", parent_id="17"),
            comment(media={"id": "N"}),
            comment(**{"from": {"id": "8"}}),
        ]
        found = [parse(body)[0] for body in bodies]
        ids = [one.customer.id for one in found if isinstance(one, Inbound)]
        assert ids == ["M:9", "M:9", "N:9", "M:8"]

    def test_told_twice_it_is_the_same_comment(self) -> None:
        """On a boosted post both come, with different times: the time must not be part of the key."""
        again = comment(media={"id": "M", "ad_id": "A", "ad_title": "T"})
        again["entry"][0]["time"] = NOW + 5000
        (first,), (second,) = parse(comment()), parse(again)
        assert isinstance(first, Inbound)
        assert isinstance(second, Inbound)
        assert (first.id, first.customer.id, first.time) == (second.id, second.customer.id, None)

    @pytest.mark.parametrize(
        "author", [{"id": ACCOUNT}, {"id": SCOPED}, {"id": "1", "self_ig_scoped_id": SCOPED}]
    )
    @pytest.mark.parametrize("field", ["comments", "live_comments"])
    def test_our_own_never_comes_back_as_a_customers(self, author: dict[str, str], field: str) -> None:
        assert parse(comment(field, **{"from": author})) == [Ignored(account=ACCOUNT, why="own comment")]

    def test_an_author_who_is_not_named_can_be_answered(self) -> None:
        (found,) = parse(comment(**{"from": None}))
        assert isinstance(found, Inbound)
        assert (found.customer.id, found.customer.address) == ("M:17", "comment:17")

    def test_without_a_post_the_comment_above_is_the_root(self) -> None:
        (below,) = parse(comment(media=None, parent_id="16"))
        (alone,) = parse(comment(media=None))
        assert isinstance(below, Inbound)
        assert isinstance(alone, Inbound)
        assert (below.customer.id, alone.customer.id) == ("16:9", "17:9")

    def test_without_words_it_is_kept_as_it_came(self) -> None:
        (found,) = parse(comment(text=""))
        assert isinstance(found, Inbound)
        assert (found.kind, found.fragment is not None) == (Kind.UNSUPPORTED, True)

    def test_without_an_id_it_is_unreadable(self) -> None:
        (found,) = parse(comment(id=None))
        assert isinstance(found, Unreadable)
        assert found.why == "change: comment_id is missing"

    def test_a_mention_in_a_post_is_answered_at_the_post(self) -> None:
        (found,) = parse(body_of({"field": "mentions", "value": {"media_id": "M"}}, key="changes"))
        assert isinstance(found, Inbound)
        assert (found.customer.address, found.addressed, found.id) == ("mention:M", False, "M")


class TestOddBodies:
    @pytest.mark.parametrize(
        "body", [b"", b"null", b"{", b"[7]", b'{"object":"page","entry":[]}', b'{"object":"instagram"}']
    )
    def test_they_are_unparseable(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            parse(body)

    @pytest.mark.parametrize("part", [None, 7, "x", [], True])
    @pytest.mark.parametrize("key", ["messaging", "standby", "changes"])
    def test_other_types_make_one_part_unreadable(self, part: Any, key: str) -> None:
        assert isinstance(one(part, key=key), Unreadable)
