"""Ids and keys: derived, opaque, short, and sorted by time."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sportello.domain import keys
from sportello.domain.keys import KEY_LIMIT

STEADY = settings(derandomize=True, database=None, deadline=None)
NOW = 1_795_461_300_123
LATEST = 9_999_999_999_999
SEQUENCE = 9_999_999_999
HASH = keys.message_hash("a" * 26, "message-1")

THREAD_IDS = {
    "known": ("salt", "whatsapp", "15550001111", "39333000001"),
    "other salt": ("salz", "whatsapp", "15550001111", "39333000001"),
    "other channel": ("salt", "telegram", "15550001111", "39333000001"),
    "swapped": ("salt", "whatsapp", "39333000001", "15550001111"),
    "shifted": ("salt", "whatsapp", "155500011113", "9333000001"),
    "joined": ("salt", "whatsapp", "1555000111139333000001", ""),
    "empty first": ("salt", "whatsapp", "", "1555000111139333000001"),
}

LONGEST = {
    "message": keys.message_key(LATEST, SEQUENCE, HASH),
    "voice": keys.effect_key(keys.message_key(LATEST, SEQUENCE, HASH), "person"),
    "call": keys.effect_key(keys.message_key(LATEST, SEQUENCE, HASH), "call"),
    "call about a failure": keys.effect_key(
        keys.effect_key(keys.message_key(LATEST, SEQUENCE, HASH), "failed"), "call"
    ),
    "closing": keys.effect_key(keys.timer_key(LATEST, f"closing-{LATEST}"), "hours"),
    "no answer": keys.effect_key(keys.timer_key(LATEST, "no-answer"), "call"),
    "on it": keys.effect_key(keys.timer_key(LATEST, "on-it"), "on-it"),
    "change": keys.change_key(HASH, LATEST, "delete"),
    "dedupe": keys.dedupe_key(HASH),
}


class TestThreadIds:
    def test_the_same_customer_has_the_same_id_for_ever(self) -> None:
        assert keys.thread_id(*THREAD_IDS["known"]) == "baraqytgdw5morgwcsqyrfsymf"

    def test_other_parts_and_the_same_parts_in_other_places_are_other_threads(self) -> None:
        assert len({keys.thread_id(*parts) for parts in THREAD_IDS.values()}) == len(THREAD_IDS)

    @STEADY
    @given(st.lists(st.text(max_size=12), min_size=4, max_size=4))
    def test_an_id_is_opaque(self, parts: list[str]) -> None:
        assert re.fullmatch("[a-z2-7]{26}", keys.thread_id(*parts))

    def test_no_part_of_the_number_is_in_it(self) -> None:
        found = keys.thread_id(*THREAD_IDS["known"])
        assert not any(part in found for part in ("39333", "15550", "salt", "what"))

    def test_a_message_id_that_no_encoding_takes_is_hashed_all_the_same(self) -> None:
        assert re.fullmatch("[a-z2-7]{16}", keys.message_hash("t", "\ud800"))

    def test_the_same_platform_id_in_two_threads_is_two_messages(self) -> None:
        assert keys.message_hash("a" * 26, "7") != keys.message_hash("b" * 26, "7")


class TestShape:
    @pytest.mark.parametrize("key", LONGEST.values(), ids=LONGEST.keys())
    def test_the_longest_keys_fit_and_use_only_what_queues_take(self, key: str) -> None:
        assert len(key) <= KEY_LIMIT
        assert re.fullmatch("[A-Za-z0-9#~-]+", key)

    def test_a_queues_deduplication_id_holds_thread_key_and_attempt(self) -> None:
        assert keys.THREAD_ID_LENGTH + KEY_LIMIT + len("@99999") <= 128

    def test_an_effect_is_named_after_its_cause(self) -> None:
        message = keys.message_key(NOW, None, HASH)
        assert keys.effect_key(message, "hours") == f"{message}~hours"

    def test_one_message_is_one_key_however_often_it_is_delivered(self) -> None:
        assert keys.message_key(NOW, 7, HASH) == f"M#{NOW}#0000000007#{HASH}"
        assert keys.message_key(NOW, None, HASH) == f"M#{NOW}#{HASH}"

    def test_a_deadline_has_one_key_per_debt_and_timer(self) -> None:
        names = [keys.timer_key(since, timer) for since in (NOW, NOW + 1) for timer in ("on-it", "no-answer")]
        assert len(set(names)) == 4

    def test_threads_are_spread_over_the_shards_of_the_due_index(self) -> None:
        found = {keys.shard(keys.thread_id("s", "c", "a", str(number)), "t") for number in range(200)}
        assert found == {f"t{number}" for number in range(keys.SHARDS)}


instants = st.integers(0, LATEST)
sequences = st.integers(0, SEQUENCE)
hashes = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16)


class TestOrder:
    @STEADY
    @given(instants, instants, sequences, sequences, hashes, hashes)
    def test_keys_sort_by_time_then_by_sequence(
        self, time: int, later: int, first: int, second: int, one: str, other: str
    ) -> None:
        by_key = keys.message_key(time, first, one) < keys.message_key(later, second, other)
        if (time, first) != (later, second):
            assert by_key == ((time, first) < (later, second))
        else:
            assert by_key == (one < other)

    @STEADY
    @given(instants, instants, hashes, hashes)
    def test_without_a_sequence_keys_sort_by_time(self, time: int, later: int, one: str, other: str) -> None:
        if time != later:
            by_key = keys.message_key(time, None, one) < keys.message_key(later, None, other)
            assert by_key == (time < later)

    def test_effects_come_after_their_message_and_before_the_next(self) -> None:
        message, following = keys.message_key(NOW, 1, HASH), keys.message_key(NOW, 2, HASH)
        for kind in ("hours", "person", "call"):
            assert message < keys.effect_key(message, kind) < following
