"""Whose order it is: a number that the customer wrote, and a contact that the platform attests."""

import hashlib
import random

import pytest

from sportello.domain.proof import (
    canonical_contact,
    canonical_number,
    contact_hash,
    order_numbers,
    proof_key,
    proved,
)

PATTERN = r"\b\d{8}\b"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("where is 12345678?", ("12345678",)),
        ("12345678 and again 12345678", ("12345678",)),
        ("12345678 or 87654321", ("12345678", "87654321")),
        ("1, 12345678, 22345678, 32345678, 42345678", ("12345678", "22345678", "32345678")),
        ("dov'è １２３４５６７８?", ("12345678",)),  # full width
        ("أين ١٢٣٤٥٦٧٨", ("12345678",)),  # Arabic-Indic
        ("1234\u200b5678", ("12345678",)),
        ("1234567", ()),
        ("123456789", ()),
        ("1234567²", ()),  # no digit of a number
        ("1234567①", ()),
        ("12345O78", ()),  # a letter
        ("x" * 2_000 + " 12345678", ()),
    ],
)
def test_a_number_is_what_the_pattern_finds(text: str, found: tuple[str, ...]) -> None:
    assert order_numbers(text, PATTERN) == found


def test_a_group_of_the_pattern_is_the_number() -> None:
    assert order_numbers("Ordine n. ab-12 34, ordine n.", r"ordine n\.\s?([A-Z]{2}-\d\d \d\d)") == ("AB1234",)


def test_without_a_pattern_nobody_has_written_a_number() -> None:
    assert order_numbers("12345678", "") == ()


@pytest.mark.parametrize("number", ["AB-1234", "ab 1234", "ａｂ\u20111234", " Ab–12\u00a034 "])
def test_spaces_dashes_and_case_make_no_other_number(number: str) -> None:
    assert canonical_number(number) == "AB1234"


@pytest.mark.parametrize(
    ("contact", "known"),
    [
        ("+39 06 1234 5678", "+390612345678"),
        ("390612345678", "+390612345678"),
        ("+1 (555) 010-0201", "+15550100201"),
        ("Customer.One@Example.COM", "customer.one@example.com"),
        (" one@example.com ", "one@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("\u017fam@example.com", "\u017fam@example.com"),  # a long s is no s
        ("\u212a@example.com", "\u212a@example.com"),  # the sign of the kelvin is no k
        ("0612345678", ""),  # national: whose country?
        ("+39", ""),
        ("+390612345678x", ""),
        ("one two@example.com", ""),
        ("@example.com", ""),
        ("one@", ""),
        ("", ""),
        ("Customer One", ""),
    ],
)
def test_a_contact_has_one_form(contact: str, known: str) -> None:
    assert canonical_contact(contact) == known


def test_a_hash_is_that_of_the_form() -> None:
    assert contact_hash("ONE@example.com") == hashlib.sha256(b"one@example.com").hexdigest()
    assert contact_hash("nobody") == ""


def test_number_and_contact_have_to_be_equal() -> None:
    own = contact_hash("+15550100201")

    assert proved("1234-5678", ("12345678",), (own,), "+1 555 010 0201")
    assert not proved("12345679", ("12345678",), (own,), "+15550100201")
    assert not proved("12345678", ("12345678",), (own,), "+15550100202")
    assert not proved("12345678", ("12345678",), (own,), "")
    assert not proved("12345678", ("12345678",), (), "+15550100201")
    assert not proved("12345678", ("12345678",), ("+15550100201", own.upper(), own[:32], ""), "+15550100201")
    assert not proved("12345678", (), (own,), "+15550100201")
    assert not proved("", ("",), ("",), "nobody")  # what has no form is alike, and proves nothing


def test_what_is_remembered_answers_for_one_number_and_one_contact() -> None:
    keys = {proof_key(n, c) for n in ("12345678", "12345679") for c in ("+15550100201", "+15550100202", "")}

    assert len(keys) == 6
    assert proof_key("1234-5678", "+1 555 010 0201") == proof_key("12345678", "+15550100201")


def test_a_number_that_is_nearly_right_is_another() -> None:
    dice = random.Random(4)
    for _ in range(2_000):
        number = f"{dice.randrange(10**8):08d}"
        place = dice.randrange(8)
        near = number[:place] + str((int(number[place]) + dice.randrange(1, 10)) % 10) + number[place + 1 :]
        own = contact_hash("+15550100201")
        assert not proved(near, order_numbers(f"order {number}", PATTERN), (own,), "+15550100201")
