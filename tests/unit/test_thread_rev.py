"""The thread row: when its ``rev`` rises, and how large it can become."""

from typing import Any

import pytest

from sportello.aws import items
from sportello.domain import keys
from sportello.domain.model import DAY, HOUR
from sportello.domain.on_consulted import TIER_MOST
from sportello.domain.reasons import LETTERS
from sportello.domain.thread import DECIDING, Thread, advanced
from sportello.domain.turn import NO_DEBT
from sportello.services import rows
from sportello.services.threads import REMEMBERED, SHORT, Located
from tests.unit.builders import Conversation, at, thread

NOW = at("Mon 10:00")
LONGEST_KEY = keys.effect_key(keys.message_key(NOW, 9_999_999_999, "a" * keys.HASH_LENGTH), "call")

FULL: dict[str, Any] = {
    "rev": 9_999_999,
    "channel": "messenger",
    "connection": "c" * 32,
    "account": "1" * 20,
    "to": "9" * 131,
    "name": "n" * rows.NAME_BYTES,
    "language": "ita",
    "team": "t" * 24,
    "created": NOW,
    "last_in": keys.message_key(NOW, 9_999_999_999, "a" * keys.HASH_LENGTH),
    "window": NOW,
    "owed_since": NOW,
    "first": "f" * rows.FIRST_BYTES,
    "told_until": NOW,
    "on_it": True,
    "person_told": True,
    "escalation": LONGEST_KEY,
    "escalated": tuple(LETTERS),
    "tier": "t" * TIER_MOST,
    "track": "speed",
    "level": 20,
    "paged": NOW,
    "promised": NOW,
    "interim": True,
    "consulting": NOW,
    "offered": "o" * 24,
    "asked": ("a" * 8,) * 2,
    "known": ("k" * 8,) * 6,
    "aside": "newsletter",
    "trusted": True,
    "language_set": True,
    "greeted": True,
    "answered": True,
    "person_until": NOW,
    "claimed_by": "b" * rows.BY_BYTES,
    "unreachable": True,
    "public": True,
    "quiet": "q" * rows.CODE_BYTES,
    "due": NOW,
    "hold": NOW,
    "resolved": "r" * rows.CODE_BYTES,
    "aliases": ("a" * SHORT,) * REMEMBERED,
    "gone": rows.remember_gone(thread(), ["a" * keys.HASH_LENGTH] * rows.GONE_MOST, NOW),
}
"""Every field at its longest; a platform's longest address is WhatsApp's user id."""

OF_A_CUSTOMER: dict[str, Any] = {"resolved": "", "aside": "", "quiet": ""}
"""A debt begins with these taken back, and who answers a machine is no machine."""
OF_A_MACHINE: dict[str, Any] = {
    "resolved": "",
    "aside": "",
    "offered": "",
    "asked": (),
    "greeted": False,
    "promised": None,
    "consulting": None,
    "on_it": False,
}
"""A debt of a machine's hears no automatic voice, so the thread has nothing of one to remember."""

OTHERWISE: dict[str, Any] = {
    name: (not value if isinstance(value, bool) else value + value) for name, value in FULL.items()
}
NOT_READ_BY_DECIDE = {
    "id", "rev", "name", "to", "created", "last_in", "window", "hold", "aliases", "gone",
}  # fmt: skip


class TestRev:
    def test_what_is_decided_by_is_all_but_what_only_senders_and_indexes_read(self) -> None:
        assert set(DECIDING) == set(Thread.model_fields) - NOT_READ_BY_DECIDE

    @pytest.mark.parametrize("field", sorted(DECIDING))
    def test_it_rises_by_one_with_every_field_that_is_decided_by(self, field: str) -> None:
        before = thread(**FULL)
        after = before.model_copy(update={field: OTHERWISE[field]})
        assert advanced(before, after).rev == before.rev + 1

    @pytest.mark.parametrize("field", sorted(set(FULL) - DECIDING - {"rev"}))
    def test_it_stays_with_every_other_field(self, field: str) -> None:
        before = thread(**FULL)
        after = before.model_copy(update={field: OTHERWISE[field]})
        assert advanced(before, after) == after

    def test_several_changes_are_one_step(self) -> None:
        before = thread(rev=4)
        assert advanced(before, before.model_copy(update={"team": "x", "on_it": True})).rev == 5

    def test_a_stored_thread_has_at_least_one(self) -> None:
        assert advanced(thread(), thread()).rev == 1

    def test_it_counts_decisions_that_changed_something(self) -> None:
        talk = Conversation()
        decisions = [
            talk.customer("Mon 10:00"),
            talk.customer("Mon 10:01"),
            talk.customer("Mon 10:02", "Grazie"),
            talk.tick("Mon 10:05"),
            talk.tick("Mon 10:10"),
            talk.resolve("Mon 10:11"),
            talk.person("Mon 10:12"),
            talk.echo("Mon 10:13", author="automatic"),
        ]
        assert [decision.thread.rev for decision in decisions] == [1, 1, 1, 1, 2, 2, 3, 3]


class TestSize:
    def test_every_field_is_set_in_the_full_thread(self) -> None:
        assert set(FULL) == set(Thread.model_fields) - {"id"}
        assert not [name for name, value in FULL.items() if items.empty(value)]

    @pytest.mark.parametrize("lacking", [OF_A_CUSTOMER, OF_A_MACHINE, NO_DEBT])
    def test_with_every_field_at_its_longest_the_row_fits_one_kilobyte(self, lacking: dict[str, Any]) -> None:
        item = items.thread_item(thread(**FULL | lacking), NOW // 1000)
        assert items.size(item) <= items.THREAD_ROW_LIMIT == 1024

    def test_every_field_comes_back_from_its_row(self) -> None:
        full = thread(**FULL)
        assert items.thread_of(items.thread_item(full, NOW // 1000)) == full

    @pytest.mark.parametrize("letter", ["a", "è", "я", "字", "🙂"])
    def test_texts_are_clipped_by_bytes_and_between_characters(self, letter: str) -> None:
        clipped = rows.clip(letter * 100, rows.FIRST_BYTES)
        assert rows.FIRST_BYTES - 4 < len(clipped.encode()) <= rows.FIRST_BYTES
        assert set(clipped) == {letter}

    def test_the_thread_remembers_the_newest_pointers(self) -> None:
        known = thread(aliases=("aaaaaa", "bbbbbb", "cccccc"))
        located = Located(known, pointers=("d" * 26, "e" * 26))
        assert located.aliases == ("bbbbbb", "cccccc", "dddddd", "eeeeee")

    def test_an_early_delete_is_remembered_for_a_day(self) -> None:
        gone = rows.remember_gone(thread(), ["abcdefghijklmnop"], NOW)
        known = thread(gone=gone)
        assert rows.gone(known, "abcdefghijklmnop", NOW + DAY)
        assert not rows.gone(known, "abcdefghijklmnop", NOW + DAY + HOUR)
        assert not rows.gone(known, "bcdefghijklmnopq", NOW)

    def test_of_early_deletes_the_newest_eight_are_remembered(self) -> None:
        hashes = [letter * keys.HASH_LENGTH for letter in "abcdefghij"]
        known = thread()
        for hashed in hashes:
            known = known.model_copy(update={"gone": rows.remember_gone(known, [hashed], NOW)})
        assert [hashed for hashed in hashes if rows.gone(known, hashed, NOW)] == hashes[2:]
