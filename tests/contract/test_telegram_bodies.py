"""Bodies that Telegram never sends: set aside, never a crash, never words in the reason."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sportello.channels.base import Request, Unparseable
from sportello.channels.telegram import Telegram
from sportello.domain.events import Inbound, PlatformEvent, Unreadable
from tests.contract.samples import Sample, all_samples, wire_bytes

SAMPLES = all_samples("telegram")
CONNECTION = SAMPLES[0].connection
TELEGRAM = Telegram()

ODD_VALUES: list[Any] = [
    None, True, -1, 0, 2**63, 10**400, 1.5, "", "x", "\ud800", "x" * 10_000, [], [None], [[]], {}, {"id": []},
]  # fmt: skip


class TestOddBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"{",
            b"null",
            b"[]",
            b'"text"',
            b"17",
            b"\xff\xfe",
            b"\x00",
            b"update_id=1&message=x",
            b'{"update_id": NaN}',
            b'{"update_id": Infinity}',
            b'{"update_id": 1e999}',
            b'{"update_id": 1, "message": {"location": {"latitude": 1e300}}}',
            b'{"update_id": 1, "message": {"location": {"latitude": -1e19}}}',
            b'{"update_id":' + b"9" * 5000 + b"}",
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            b'{"update_id":1,"message":' + b"[" * 101 + b"]" * 101 + b"}",
        ],
    )
    def test_what_is_not_telegrams_json_at_all(self, body: bytes) -> None:
        with pytest.raises(Unparseable) as caught:
            TELEGRAM.parse(Request(method="POST", body=body), CONNECTION)
        assert str(caught.value).startswith("body: ")

    @pytest.mark.parametrize(
        "content", [{}, {"update_id": 1}, {"message": []}, {"message": {}}, {"message": "x", "update_id": 1}]
    )
    def test_json_that_is_no_update_is_set_aside_whole(self, content: dict[str, Any]) -> None:
        event = parsed(content)
        assert isinstance(event, Unreadable)
        assert event.fragment == content

    def test_what_is_next_to_nothing_is_nothing(self) -> None:
        """No table takes numbers beyond 1e-130."""
        place = b'{"latitude": 1e-300, "longitude": -4.5}'
        body = (
            b'{"update_id": 1, "message": {"message_id": 5, "date": 1, "location": %b,'
            b' "chat": {"id": 5, "type": "private", "first_name": "x"}}}' % place
        )
        (event,) = TELEGRAM.parse(Request(method="POST", body=body), CONNECTION)
        assert isinstance(event, Inbound)
        assert event.place is not None
        assert (event.place.latitude, event.place.longitude) == (0, -4.5)

    def test_lone_surrogates_become_storable(self) -> None:
        chat = {"id": 5, "type": "private", "first_name": "\ud800"}
        message = {"message_id": 5, "chat": chat, "date": 1, "text": "a\udfffb 🙂"}
        event = parsed({"update_id": 1, "message": message})
        assert isinstance(event, Inbound)
        assert event.text == "a\ufffdb 🙂"
        assert event.customer.name == "\ufffd"

    def test_the_reason_of_a_bad_entry_holds_no_words(self) -> None:
        message = {"message_id": 5, "chat": {"id": 5}, "date": 1, "text": ["secret words"]}
        event = parsed({"update_id": 1, "message": message})
        assert isinstance(event, Unreadable)
        assert event.why == "message.text: a string expected"

    @pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
    def test_every_field_may_be_of_any_type(self, sample: Sample) -> None:
        whole = json.loads(sample.request.body)
        for change in every_place(whole):
            for value in ODD_VALUES:
                assert_storable(sample, wire_bytes(change(value)))

    @pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
    def test_every_field_may_be_missing(self, sample: Sample) -> None:
        whole = json.loads(sample.request.body)
        for without in every_omission(whole):
            assert_storable(sample, wire_bytes(without))

    @settings(max_examples=300, deadline=None)
    @given(st.sampled_from(SAMPLES), st.data())
    def test_any_bytes_may_change(self, sample: Sample, data: st.DataObject) -> None:
        body = bytearray(sample.request.body)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(body) - 1))
            body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        assert_storable(sample, bytes(body))

    @settings(max_examples=200, deadline=None)
    @given(
        st.sampled_from(SAMPLES),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        ),
        st.data(),
    )
    def test_any_json_may_stand_anywhere(self, sample: Sample, value: Any, data: st.DataObject) -> None:
        replace = data.draw(st.sampled_from(list(every_place(json.loads(sample.request.body)))))
        assert_storable(sample, wire_bytes(replace(value)))


def assert_storable(sample: Sample, body: bytes) -> None:
    """Events that go into a table, or ``Unparseable``; nothing else, and never an empty list."""
    try:
        events = TELEGRAM.parse(replace(sample.request, body=body), sample.connection)
    except Unparseable:
        return
    assert len(events) == 1
    json.dumps(events[0].model_dump(mode="json"), ensure_ascii=False, allow_nan=False).encode()


def every_place(whole: Any) -> Iterator[Callable[[Any], Any]]:
    """For every value inside: a function that gives the whole with another value in that place."""
    keys = list(whole) if isinstance(whole, dict) else range(len(whole)) if isinstance(whole, list) else ()
    for key in keys:

        def replace(value: Any, key: Any = key) -> Any:
            copy = whole.copy()
            copy[key] = value
            return copy

        yield replace
        for inner in every_place(whole[key]):
            yield chain(inner, replace)


def every_omission(whole: Any) -> Iterator[Any]:
    """The whole, each time without one of the fields anywhere inside."""
    keys = list(whole) if isinstance(whole, dict) else range(len(whole)) if isinstance(whole, list) else ()
    for key in keys:
        less = whole.copy()
        del less[key]
        yield less
        for inner in every_omission(whole[key]):
            less = whole.copy()
            less[key] = inner
            yield less


def chain(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: then(first(value))


def parsed(content: Any) -> PlatformEvent:
    (event,) = TELEGRAM.parse(Request(method="POST", body=wire_bytes(content)), CONNECTION)
    return event
