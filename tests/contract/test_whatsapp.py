"""WhatsApp, inbound: who signed it, who wrote it, and bodies that nobody should send."""

import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sportello.channels.base import Account, Connection, Problem, Request, Unparseable
from sportello.channels.whatsapp import WhatsApp
from sportello.channels.whatsapp_errors import PROBLEMS
from sportello.domain.events import (
    Connected,
    Delete,
    Echo,
    Edit,
    Ignored,
    Inbound,
    Kind,
    Moved,
    PlatformEvent,
    Receipt,
    Unreadable,
)
from tests.contract.samples import Sample, all_samples, wire_bytes

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("SPORTELLO_VECTORS", ROOT.parent / "shared" / "vectors")) / "meta-and-x.json"

SECRET = "0123456789abcdef0123456789abcdef"
NUMBER = "100000000000001"
OURS = "15550100100"
CUSTOMER = "15550100201"
SCOPED = "IT.10000000000000000201"
CONNECTION = Connection(
    name="main", secrets=(SECRET,), accounts=(Account(id=NUMBER),), settings={"verify_token": "fake-verify"}
)
WHATSAPP = WhatsApp()


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def signed(body: bytes, header: str | None = None) -> Request:
    value = signature(body) if header is None else header
    return Request(method="POST", path="/main", headers={"x-hub-signature-256": value}, body=body)


def body_of(*, field: str = "messages", entry: str = "200000000000001", **value: Any) -> dict[str, Any]:
    ours = {"display_phone_number": OURS, "phone_number_id": NUMBER}
    whole = {"messaging_product": "whatsapp", "metadata": ours, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": entry, "changes": [{"value": whole, "field": field}]}],
    }


def parse(body: Any, connection: Connection = CONNECTION) -> list[PlatformEvent]:
    raw = body if isinstance(body, bytes) else wire_bytes(body)
    request = signed(raw)
    assert WHATSAPP.verify(request, CONNECTION)
    return list(WHATSAPP.parse(request, connection))


def text(**changes: Any) -> dict[str, Any]:
    message = {
        "from": CUSTOMER,
        "id": "wamid.1",
        "timestamp": "1795461300",
        "type": "text",
        "text": {"body": "Hello"},
    }
    return {key: value for key, value in (message | changes).items() if value is not None}


def one(**value: Any) -> PlatformEvent:
    events = parse(body_of(**value))
    assert len(events) == 1
    return events[0]


def inbound(**changes: Any) -> Inbound:
    event = one(
        messages=[text(**changes)], contacts=[{"profile": {"name": "Customer One"}, "wa_id": CUSTOMER}]
    )
    assert isinstance(event, Inbound)
    return event


def vectors() -> list[tuple[str, bytes, str]]:
    """(secret, body, header) of Meta's published algorithm; two computed here where the file is absent."""
    if VECTORS.exists():
        content = json.loads(VECTORS.read_text("utf-8"))
        return [
            (entry["secret"], entry["body_utf8"].encode(), entry["value"])
            for entry in content
            if entry["name"] in ("A", "B", "empty body")
        ]
    return [
        (SECRET, body, f"sha256={_hmac_by_hand(SECRET.encode(), body)}")
        for body in (rb'{"object":"page","text":"\u00e4 \ud83d\ude00 http:\/\/a.b"}', b"")
    ]


def _hmac_by_hand(key: bytes, message: bytes) -> str:
    """RFC 2104 from its definition, so that the expected value owes nothing to the code under test."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


class TestSignature:
    def test_published_vectors(self) -> None:
        found = vectors()
        assert len(found) >= 2
        for secret, body, header in found:
            connection = Connection(name="main", secrets=("older", secret))
            assert WHATSAPP.verify(signed(body, header), connection)
            assert not WHATSAPP.verify(signed(body + b" ", header), connection)
            assert f"sha256={_hmac_by_hand(secret.encode(), body)}" == header

    def test_reserialised_json_is_not_what_was_signed(self) -> None:
        body = rb'{"object":"whatsapp_business_account","entry":[],"text":"\u00e4 \ud83d\ude00 http:\/\/a.b"}'
        header = signature(body)
        assert WHATSAPP.verify(signed(body, header), CONNECTION)
        for again in (
            json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode(),
            json.dumps(json.loads(body), separators=(",", ":")).encode(),
            json.dumps(json.loads(body)).encode(),
        ):
            assert not WHATSAPP.verify(signed(again, header), CONNECTION)

    @pytest.mark.parametrize("prefix", ["", "sha1=", "SHA256=", "sha256 ="])
    def test_the_prefix_belongs_to_it(self, prefix: str) -> None:
        header = signature(b"{}").replace("sha256=", prefix)
        assert not WHATSAPP.verify(signed(b"{}", header), CONNECTION)

    def test_an_empty_secret_signs_nothing(self) -> None:
        header = signature(b"{}", secret="")
        for secrets in ((), ("",), ("", "")):
            assert not WHATSAPP.verify(signed(b"{}", header), Connection(name="main", secrets=secrets))


class TestHandshake:
    def ask(self, connection: Connection = CONNECTION, method: str = "GET", **query: Any) -> Any:
        asked = {"hub.mode": "subscribe", "hub.verify_token": "fake-verify", "hub.challenge": "0042"}
        given = {**asked, **{f"hub.{name}": value for name, value in query.items()}}
        return WHATSAPP.handshake(Request(method=method, path="/main", query=given), connection)

    def test_the_challenge_comes_back_as_it_is(self) -> None:
        for challenge in ("0042", "1e3", '"quoted"', "a b"):
            answer = self.ask(challenge=challenge)
            assert (answer.status, answer.body) == (200, challenge)
            assert answer.content_type.startswith("text/plain")

    @pytest.mark.parametrize(
        "query",
        [{"verify_token": "wrong"}, {"verify_token": ""}, {"mode": "unsubscribe"}, {"verify_token": "è"}],
    )
    def test_a_wrong_one_is_refused_without_echo(self, query: dict[str, Any]) -> None:
        answer = self.ask(**query)
        assert answer.status == 403
        assert "0042" not in answer.body

    def test_without_a_stored_token_none_is_right(self) -> None:
        bare = Connection(name="main", secrets=(SECRET,))
        assert self.ask(bare).status == 403
        assert self.ask(bare, verify_token="").status == 403

    def test_other_requests_are_no_challenge(self) -> None:
        assert WHATSAPP.handshake(Request(method="GET", query={"page": "1"}), CONNECTION) is None
        assert self.ask(method="POST") is None


class TestPeople:
    def test_contacts_are_matched_by_id_not_by_place(self) -> None:
        contacts = [
            {"profile": {"name": "Customer Two"}, "wa_id": "15550100202", "user_id": "IT.2"},
            {"profile": {"name": "Customer One"}, "wa_id": CUSTOMER, "user_id": SCOPED},
        ]
        messages = [text(), text(id="wamid.2", **{"from": None, "from_user_id": "IT.2"}), text(id="wamid.3")]
        events = parse(body_of(messages=messages, contacts=contacts))
        assert [event.customer.name for event in events if isinstance(event, Inbound)] == [
            "Customer One",
            "Customer Two",
            "Customer One",
        ]
        assert [event.customer.id for event in events if isinstance(event, Inbound)] == [
            SCOPED,
            "IT.2",
            SCOPED,
        ]

    def test_a_stranger_in_a_batch_gets_nobody_elses_name(self) -> None:
        contacts = [{"profile": {"name": "Customer One"}, "wa_id": CUSTOMER, "user_id": SCOPED}]
        stranger = text(id="wamid.2", **{"from": "15550100203"})
        events = parse(body_of(messages=[text(), stranger], contacts=contacts))
        assert isinstance(events[1], Inbound)
        assert events[1].customer.model_dump() == {
            "id": "15550100203",
            "address": "+15550100203",
            "aliases": (),
            "name": "",
            "language": "",
        }

    def test_another_scoped_id_is_another_person(self) -> None:
        contacts = [{"profile": {"name": "Customer One"}, "wa_id": CUSTOMER, "user_id": SCOPED}]
        event = one(messages=[text(from_user_id="IT.9")], contacts=contacts)
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.customer.name) == ("IT.9", "")

    def test_a_rewritten_number_stays_an_alias(self) -> None:
        contacts = [{"profile": {"name": "Customer One"}, "wa_id": "5215550100201", "user_id": SCOPED}]
        event = one(messages=[text(**{"from": "525550100201"})], contacts=contacts)
        assert isinstance(event, Inbound)
        assert event.customer.id == SCOPED
        assert event.customer.address == "+5215550100201"
        assert event.customer.aliases == ("5215550100201", "525550100201")

    def test_parent_ids_are_nobodys_alias(self) -> None:
        contacts = [{"wa_id": CUSTOMER, "user_id": SCOPED, "parent_user_id": "IT.ENT.1"}]
        event = one(messages=[text(from_parent_user_id="IT.ENT.1")], contacts=contacts)
        assert isinstance(event, Inbound)
        assert event.customer.aliases == (CUSTOMER,)

    def test_a_scoped_id_where_a_number_is_expected(self) -> None:
        event = one(messages=[text(**{"from": SCOPED})])
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.customer.address) == (SCOPED, SCOPED)

    def test_nobody_is_unreadable(self) -> None:
        event = one(messages=[text(**{"from": None})])
        assert isinstance(event, Unreadable)
        assert event.why == "messages: no sender"

    @pytest.mark.parametrize("contacts", [None, [], {}, [None, 7, "x"], [{"profile": "x", "wa_id": 7}], "x"])
    def test_odd_contacts_do_not_lose_the_message(self, contacts: Any) -> None:
        event = one(messages=[text()], contacts=contacts)
        assert isinstance(event, Inbound)
        assert event.customer.id == CUSTOMER


class TestMoved:
    def system(self, sender: str | None = None, **system: Any) -> PlatformEvent:
        return one(messages=[text(type="system", system=system, text=None, **{"from": sender})])

    def test_direction_marks_around_numbers_are_dropped(self) -> None:
        said = "User A changed from \u200e15550100201 to 15550100299\u200e"
        event = self.system(sender=CUSTOMER, type="user_changed_number", body=said)
        assert isinstance(event, Moved)
        assert (event.previous, event.customer.id) == ((CUSTOMER,), "15550100299")

    def test_a_name_cannot_pretend_a_change(self) -> None:
        name = "Eve changed from 15550100777 to 15550100666"
        said = f"User {name} changed from 15550100201 to 15550100299"
        event = self.system(sender=CUSTOMER, type="user_changed_number", body=said)
        assert isinstance(event, Moved)
        assert event.previous == (CUSTOMER,)
        assert event.customer.address == "+15550100299"

    def test_fields_win_over_the_sentence(self) -> None:
        event = self.system(
            sender=CUSTOMER,
            type="user_changed_number",
            body="User A changed from X to Y",
            wa_id="15550100299",
            user_id="IT.2",
            previous_user_id=SCOPED,
            parent_user_id="IT.ENT.1",
        )
        assert isinstance(event, Moved)
        assert event.previous == (SCOPED, CUSTOMER)
        assert (event.customer.id, event.customer.aliases) == ("IT.2", ("15550100299",))

    @pytest.mark.parametrize("body", ["", "A changed from X to Y", "gone", "changed from 1 to 2"])
    def test_what_names_no_two_ids_is_a_notice(self, body: str) -> None:
        event = self.system(sender=CUSTOMER, type="user_changed_number", body=body)
        assert isinstance(event, Inbound)
        assert (event.kind, event.detail, event.text) == (Kind.SERVICE, "user_changed_number", body)

    def test_the_same_id_again_is_a_notice(self) -> None:
        event = self.system(sender=CUSTOMER, type="user_changed_number", wa_id=CUSTOMER, body="")
        assert isinstance(event, Inbound)


class TestKinds:
    @pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
    def test_media_without_an_id_is_unsupported(self, kind: str) -> None:
        event = inbound(type=kind, text=None, **{kind: {"mime_type": "a/b"}})
        assert (event.kind, event.detail) == (Kind.UNSUPPORTED, kind)
        assert event.fragment is not None

    @pytest.mark.parametrize(
        ("given_digest", "expected"),
        [
            ("3q2+7w==", ""),
            ("not base64!", ""),
            ("AB" * 32, "ab" * 32),
            ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", hashlib.sha256(b"").hexdigest()),
        ],
    )
    def test_digests(self, given_digest: str, expected: str) -> None:
        event = inbound(type="image", text=None, image={"id": "1", "sha256": given_digest})
        assert event.media[0].sha256 == expected

    def test_a_missing_type_is_told_by_the_body(self) -> None:
        event = inbound(type=None)
        assert (event.kind, event.text) == (Kind.TEXT, "Hello")

    def test_a_type_that_is_no_word_stays_out_of_the_detail(self) -> None:
        event = inbound(type="x" * 200, text=None)
        assert (event.kind, event.detail) == (Kind.UNSUPPORTED, "other")

    def test_a_group_message_of_our_own_is_no_customers(self) -> None:
        event = one(messages=[text(group_id="group-1", **{"from": OURS})])
        assert isinstance(event, Ignored)

    @pytest.mark.parametrize("author", [OURS, f"+{OURS}", NUMBER])
    def test_a_quote_of_ours_addresses_us_in_a_group(self, author: str) -> None:
        assert inbound(group_id="group-1", context={"from": author, "id": "wamid.0"}).addressed
        assert not inbound(group_id="group-1", context={"from": CUSTOMER, "id": "wamid.0"}).addressed

    def test_a_form_that_is_no_json_keeps_the_platforms_words(self) -> None:
        for response in ("{", "[]", "[" * 100_000, '{"flow_token":"t"}', '{"a":{"b":1}}'):
            reply = {"response_json": response, "body": "Sent", "name": "flow"}
            event = inbound(
                type="interactive", text=None, interactive={"type": "nfm_reply", "nfm_reply": reply}
            )
            assert (event.kind, event.text) == (Kind.BUTTON, "Sent")

    def test_lone_surrogates_in_a_form_are_replaced(self) -> None:
        reply = {"response_json": '{"a":"\\ud800"}', "body": "Sent", "name": "flow"}
        event = inbound(type="interactive", text=None, interactive={"type": "nfm_reply", "nfm_reply": reply})
        assert event.text.encode("utf-8") == b"a: ?"


class TestStatuses:
    def status(self, **changes: Any) -> PlatformEvent:
        return one(statuses=[{"id": "wamid.0", "status": "sent", "timestamp": "1795461300", **changes}])

    @pytest.mark.parametrize("code", sorted(PROBLEMS))
    def test_a_failure_says_what_it_means(self, code: int) -> None:
        event = self.status(status="failed", errors=[{"code": code}])
        assert isinstance(event, Receipt)
        assert (event.code, event.problem) == (str(code), PROBLEMS[code].value)

    @pytest.mark.parametrize("errors", [None, [], [{}], [{"code": 999999}], [{"code": "x"}]])
    def test_an_unknown_failure_is_refused(self, errors: Any) -> None:
        event = self.status(status="failed", errors=errors)
        assert isinstance(event, Receipt)
        assert event.problem == Problem.REFUSED

    def test_an_unknown_status_is_named(self) -> None:
        assert self.status(status="pondered").model_dump() == {"account": NUMBER, "why": "status pondered"}


class TestAccounts:
    def test_without_metadata_it_is_the_only_number(self) -> None:
        body = body_of(messages=[text()])
        del body["entry"][0]["changes"][0]["value"]["metadata"]
        (event,) = parse(body)
        assert event.account == NUMBER
        two = CONNECTION.model_copy(update={"accounts": (Account(id=NUMBER), Account(id="2"))})
        (event,) = parse(body, two)
        assert isinstance(event, Unreadable)

    def test_trouble_with_the_business_account_is_told_of_each_number(self) -> None:
        two = CONNECTION.model_copy(update={"accounts": (Account(id=NUMBER), Account(id="2"))})
        body = body_of(field="account_update", event="ACCOUNT_RESTRICTION")
        events = parse(body, two)
        assert [(type(event), event.account) for event in events] == [(Connected, NUMBER), (Connected, "2")]

    def test_the_test_button_disables_nothing(self) -> None:
        body = body_of(field="account_update", entry="0", event="ACCOUNT_RESTRICTION")
        assert [type(event) for event in parse(body)] == [Ignored]
        locked = body_of(entry="0", errors=[{"code": 131031}])
        assert [type(event) for event in parse(locked)] == [Ignored]

    def test_a_scheduled_ban_still_works(self) -> None:
        body = body_of(
            field="account_update",
            event="DISABLED_UPDATE",
            ban_info={"waba_ban_state": "SCHEDULE_FOR_DISABLE"},
        )
        (event,) = parse(body)
        assert isinstance(event, Connected)
        assert event.enabled


class TestOddBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b'"text"',
            b"{",
            b"\xff\xfe\x00",
            b'{"object":"page","entry":[]}',
            b'{"object":"whatsapp_business_account"}',
            b'{"object":"whatsapp_business_account","entry":{}}',
            b'{"object":"whatsapp_business_account","entry":[NaN]}',
            b'{"object":"whatsapp_business_account","entry":[1e999]}',
            b'{"object":"whatsapp_business_account","entry":[' + b"9" * 5000 + b"]}",
            b'{"object":"whatsapp_business_account","entry":[' + b"9" * 30 + b"]}",
            b'{"object":"whatsapp_business_account","entry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b'{"object":"whatsapp_business_account","entry":'
            + b'{"a":' * 100_000
            + b"1"
            + b"}" * 100_000
            + b"}",
            b'{"object":"whatsapp_business_account","entry":' + b"[" * 70 + b"]" * 70 + b"}",
        ],
    )
    def test_they_are_unparseable_and_say_nothing_of_their_content(self, body: bytes) -> None:
        with pytest.raises(Unparseable) as caught:
            parse(body)
        assert len(str(caught.value)) < 100
        assert caught.value.__cause__ is None

    def test_lone_surrogates_become_text_that_can_be_stored(self) -> None:
        body = wire_bytes(body_of(messages=[text(text={"body": "a SURROGATE b"})]))
        (event,) = parse(body.replace(b"SURROGATE", b"\\ud800"))
        assert isinstance(event, Inbound)
        assert event.text == "a \ufffd b"

    @pytest.mark.parametrize(
        "stamp", ["", "yesterday", "-1", "1.5", "12345678901", "٣", "1e9", None, True, [], 1.5, {}]
    )
    def test_a_bad_time_makes_one_message_unreadable(self, stamp: Any) -> None:
        broken = {**text(id="wamid.2"), "timestamp": stamp}
        events = parse(body_of(messages=[text(), broken, text(id="wamid.3")]))
        assert [type(event) for event in events] == [Inbound, Unreadable, Inbound]

    @pytest.mark.parametrize("part", [None, 7, "x", [], True])
    def test_other_types_make_one_part_unreadable(self, part: Any) -> None:
        events = parse(body_of(messages=[part, text()], statuses=[part]))
        assert [type(event) for event in events] == [Unreadable, Inbound, Unreadable]

    @pytest.mark.parametrize("value", [7, [], {"body": ["x"]}, {"body": {}}, {"body": 1.5}, {"body": True}])
    def test_a_text_of_the_wrong_type_is_not_shown_as_empty(self, value: Any) -> None:
        event = one(messages=[text(text=value)])
        assert isinstance(event, Unreadable) or (
            isinstance(event, Inbound) and event.kind is Kind.UNSUPPORTED
        )

    def test_unreadable_names_the_field_and_not_the_words(self) -> None:
        event = one(messages=[text(text={"body": {"secret words": 1}})])
        assert isinstance(event, Unreadable)
        assert event.why == "messages: body is not a text"

    def test_fields_of_later_versions_are_named(self) -> None:
        for field in ("standby", "calls", "history", "user_id_update", "x" * 100):
            (event,) = parse(body_of(field=field, messages=[text()]))
            assert isinstance(event, Ignored)
            assert event.why == (field if len(field) < 65 else "other")


SAMPLES = [sample for sample in all_samples("whatsapp") if sample.response is None]
EVENTS = (Inbound, Echo, Edit, Delete, Moved, Receipt, Connected, Unreadable, Ignored)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just([]), st.just({})
)


def paths(value: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [prefix, *(path for key, child in children for path in paths(child, (*prefix, key)))]


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], leaf)
    return copy


@given(data=st.data(), sample=st.sampled_from(SAMPLES), leaf=LEAVES)
@settings(max_examples=300, deadline=None)
def test_a_mutated_signed_body_raises_nothing_but_unparseable(data: Any, sample: Sample, leaf: Any) -> None:
    body = json.loads(sample.request.body)
    mutated = put(body, data.draw(st.sampled_from(paths(body))), leaf)
    raw = json.dumps(mutated).encode()
    try:
        events = parse(raw)
    except Unparseable:
        return
    assert events
    for event in events:
        assert isinstance(event, EVENTS)
        event.model_dump_json()


@given(at=st.integers(min_value=0), byte=st.integers(0, 255), sample=st.sampled_from(SAMPLES))
@settings(max_examples=200, deadline=None)
def test_a_damaged_signed_body_raises_nothing_but_unparseable(at: int, byte: int, sample: Sample) -> None:
    body = bytearray(sample.request.body)
    body[at % len(body)] = byte
    try:
        events = parse(bytes(body))
    except Unparseable:
        return
    assert events
