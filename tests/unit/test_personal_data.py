"""Personal data in a text: by published checksums, in any spacing, and not in what only looks like it."""

import random
import string
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as other_iban
from stdnum import luhn as other_luhn
from stdnum.it import codicefiscale as other_cf
from stdnum.it import iva as other_iva
from stdnum.ru import inn as other_inn

from sportello.domain import checksums
from sportello.domain.personal_data import Found, found, masked, of_others
from tests.eval import personal_data as measured

DIGITS = "0123456789"
LAYER = str(Path(__file__).parents[2] / "layers" / "core")


def kinds(text: str, *patterns: str) -> list[tuple[str, str]]:
    return [(hit.kind, text[hit.start : hit.end]) for hit in found(text, patterns)]


# --- checksums ----------------------------------------------------------------------------------

CARDS = (
    "4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100", "2223003122003222",
    "378282246310005", "371449635398431", "6011111111111117", "3530111333300000", "30569309025904",
    "38520000023237", "6200000000000005", "6759649826438453", "2200000000000004", "2201112222333441",
)  # fmt: skip
"""Numbers that schemes and processors publish for tests."""
IBANS = (
    "IT60X0542811101000000123456", "DE89370400440532013000", "GB29NWBK60161331926819",
    "FR1420041010050500013M02606", "ES9121000418450200051332", "CH9300762011623852957",
    "SM86U0322509800000000270100", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300",
    "BR1800360305000010009795493C1", "KZ86125KZT5004100100", "BE68539007547034",
)  # fmt: skip
"""The registry's own examples."""


@pytest.mark.parametrize("number", CARDS)
def test_every_scheme_s_test_card_is_a_card(number: str) -> None:
    assert checksums.card(number)
    assert kinds(f"carta {number}") == [("card", number)]


@pytest.mark.parametrize("number", IBANS)
def test_the_registry_s_examples_are_ibans(number: str) -> None:
    assert kinds(number) == [("iban", number)]
    groups = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    assert kinds(f"IBAN: {groups}, grazie") == [("iban", groups)]


def test_checksums_agree_with_a_well_known_library() -> None:
    """python-stdnum, on numbers of which about one in ten is right."""
    rng = random.Random(4)
    right = {"luhn": 0, "iva": 0, "inn": 0, "iban": 0}
    for _ in range(20_000):
        number = "".join(rng.choices(DIGITS, k=rng.choice((10, 11, 12, 16))))
        assert checksums.luhn(number) == other_luhn.is_valid(number)
        assert checksums.partita_iva(number) == other_iva.is_valid(number)
        if len(set(number)) > 1:
            assert checksums.inn(number) == other_inn.is_valid(number)
        spanish = "ES" + number[:2] + (number * 2)[:20]
        assert checksums.iban(spanish) == other_iban.is_valid(spanish, check_country=False)
        right["luhn"] += checksums.luhn(number)
        right["iva"] += checksums.partita_iva(number)
        right["inn"] += checksums.inn(number)
        right["iban"] += checksums.iban(spanish)
    assert min(right.values()) > 40, right


@pytest.mark.parametrize("code", ["RSSMRA85T10A562S", "VRDGPP13R10B293P", "MRTMTT25D09F205Z"])
def test_documented_codici_fiscali(code: str) -> None:
    assert other_cf.is_valid(code)
    assert checksums.codice_fiscale(code)


@pytest.mark.parametrize("number", ["11223344595", "08765430300"])
def test_documented_snils(number: str) -> None:
    assert checksums.snils(number)


def test_a_snils_before_the_checked_ones_is_none() -> None:
    assert not checksums.snils("00100199800")


# --- every right number, in any spacing -------------------------------------------------------------

GAPS = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2011", " - ", "\u200b", "\u2009"])


def completed(base: str, right: Callable[[str], bool], alphabet: str = DIGITS) -> str:
    """The base with the last sign that makes it right, wherever there is one."""
    return next((base + sign for sign in alphabet if right(base + sign)), "")


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix, length = draw(st.sampled_from([("4", 16), ("51", 16), ("2221", 16), ("34", 15), ("2202", 16)]))
    rest = draw(st.text(DIGITS, min_size=length - len(prefix) - 1, max_size=length - len(prefix) - 1))
    return completed(prefix + rest, checksums.luhn)


@st.composite
def fiscal_codes(draw: st.DrawFn) -> str:
    letters = draw(st.text(string.ascii_uppercase, min_size=6, max_size=6))
    year, day = draw(st.integers(0, 99)), draw(st.integers(1, 28)) + draw(st.sampled_from([0, 40]))
    month, place = draw(st.sampled_from("ABCDEHLMPRST")), draw(st.integers(0, 999))
    base = list(f"{letters}{year:02}{month}{day:02}Z{place:03}")
    for at in draw(st.sets(st.sampled_from([6, 7, 9, 10, 12, 13, 14]), max_size=6)):
        base[at] = "LMNPQRSTUV"[int(base[at])]  # omocodia
    return completed("".join(base), checksums.codice_fiscale, string.ascii_uppercase)


@st.composite
def ibans(draw: st.DrawFn) -> str:
    bank = draw(st.text(DIGITS, min_size=10, max_size=10))
    account = draw(st.text(DIGITS + string.ascii_uppercase, min_size=12, max_size=12))
    bban = f"X{bank}{account}"
    number = "".join(str(int(sign, 36)) for sign in f"{bban}IT00")
    return f"IT{98 - int(number) % 97:02}{bban}"


@st.composite
def snils(draw: st.DrawFn) -> str:
    base = f"{draw(st.integers(1_001_999, 999_999_999)):09}"
    return next(f"{base}{check:02}" for check in range(100) if checksums.snils(f"{base}{check:02}"))


@st.composite
def persons_inn(draw: st.DrawFn) -> str:
    base = draw(st.text(DIGITS, min_size=10, max_size=10).filter(lambda text: len(set(text)) > 1))
    return next(f"{base}{check:02}" for check in range(100) if checksums.inn(f"{base}{check:02}"))


def spaced(number: str, size: int, gap: str) -> str:
    return gap.join(number[at : at + size] for at in range(0, len(number), size))


@given(cards(), st.sampled_from([1, 4, 16]), GAPS)
def test_every_card_is_found_in_any_spacing(number: str, size: int, gap: str) -> None:
    text = f"la mia carta {spaced(number, size, gap)} non va"
    (hit,) = found(text)
    assert (hit.kind, text[hit.start : hit.end]) == ("card", spaced(number, size, gap))


@given(cards(), st.data())
def test_a_card_with_one_wrong_digit_is_none(number: str, data: st.DataObject) -> None:
    """Luhn tells every single wrong digit."""
    at = data.draw(st.integers(0, len(number) - 1))
    wrong = number[:at] + data.draw(st.sampled_from(DIGITS.replace(number[at], ""))) + number[at + 1 :]
    assert "card" not in {kind for kind, _ in kinds(f"la mia carta {wrong} non va")}


@given(ibans(), st.sampled_from([4, 40]), st.sampled_from(["", " ", "-", "\u00a0"]), st.booleans())
def test_every_iban_is_found_in_any_spacing(number: str, size: int, gap: str, small: bool) -> None:
    written = spaced(number.lower() if small else number, size, gap)
    assert kinds(f"bonifico su {written} grazie") == [("iban", written)]


@given(ibans(), st.data())
def test_an_iban_with_one_wrong_digit_is_none(number: str, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([place for place, sign in enumerate(number) if sign.isdigit()]))
    wrong = number[:at] + data.draw(st.sampled_from(DIGITS.replace(number[at], ""))) + number[at + 1 :]
    assert "iban" not in {kind for kind, _ in kinds(wrong)}


@given(fiscal_codes(), st.booleans(), st.sampled_from(["", " ", "-"]))
def test_every_codice_fiscale_is_found(code: str, small: bool, gap: str) -> None:
    assert other_cf.is_valid(code)
    code = code.lower() if small else code
    written = gap.join((code[:3], code[3:6], code[6:11], code[11:15], code[15]))
    assert kinds(f"CF {written}.") == [("codice_fiscale", written)]


@given(fiscal_codes(), st.sampled_from(string.ascii_uppercase))
def test_a_codice_fiscale_with_another_check_letter_is_none(code: str, letter: str) -> None:
    expected = [("codice_fiscale", code)] if letter == code[-1] else []
    assert kinds(f"CF {code[:-1]}{letter}") == expected


@given(snils(), st.sampled_from(["{}{}{}{}", "{}-{}-{} {}", "{} {} {} {}", "{}-{}-{}-{}"]))
def test_every_snils_is_found(number: str, form: str) -> None:
    written = form.format(number[:3], number[3:6], number[6:9], number[9:])
    assert kinds(f"мой СНИЛС {written}") == [("snils", written)]


@given(snils(), st.integers(1, 99))
def test_a_snils_with_another_check_is_none(number: str, more: int) -> None:
    wrong = f"{number[:9]}{(int(number[9:]) + more) % 100:02}"
    assert "snils" not in {kind for kind, _ in kinds(f"СНИЛС {wrong}")}


@given(persons_inn(), st.sampled_from(["ИНН {}", "ИНН: {}", "мой инн {}", "{} ИНН"]))
def test_every_inn_is_found_where_it_is_named(number: str, form: str) -> None:
    assert kinds(form.format(number)) == [("inn", number)]


@given(persons_inn(), st.data())
def test_an_inn_with_one_wrong_digit_is_none(number: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 11))
    wrong = number[:at] + data.draw(st.sampled_from(DIGITS.replace(number[at], ""))) + number[at + 1 :]
    assert kinds(f"ИНН {wrong}") == ([("inn", wrong)] if other_inn.is_valid(wrong) else [])


@given(st.text(max_size=200))
def test_any_text_is_searched_and_masked(text: str) -> None:
    hits = found(text, (r"\d{8}",))
    assert all(0 <= hit.start < hit.end <= len(text) for hit in hits)
    assert all(before.end <= after.start for before, after in pairwise(hits))
    assert (masked(text, hits) == text) == (not hits)


# --- what only looks like it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "RR123456785IT",
        "tracking RR 123 456 785 IT",
        "1Z999AA10123456784",
        "DHL 1234567890 in consegna",
        "BRT 123456789012",
        "GLS M1 123456789",
        "Poste ZA123456789IT",
        "ordine 3210000012",
        "il tracking è 061234567890",
        "Заказ 89120001234",
        "order 4111111111111111",
        "EAN 4006381333931",
        "IMEI 350000000000014",
        "490154203237518",
        "carta fedeltà 4012888888881881",
        "VAT GB123456789",
        "DE123456789",
        "12/05/2026, 2026-05-12, 12.05.2026 18:30",
        "lun-ven 9:00-13:00, 14:00-18:00; 24/12/2026 9:00-13:00",
        "1.250,00 € o 1 250 000 руб. o $1,250.00",
        "v10.2.345.6 e 192.168.100.200",
        "41.9028, 12.4964",
        "https://example.com/p/3210000012?id=4111111111111111",
        "800 123 456",
        "8 800 555-35-35",
        "ISBN 9788800000001",
        "00001230010",
        "500100732259",
        "4111 1111 1111 1112",
        "grazie @negozio.it",
        "il prodotto @ 19,90",
        "look at example.com for it",
        "100x200x300, 12,500 kg, taglia 42",
        "codice 384920",
    ],
)
def test_look_alikes_are_nothing(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("P.IVA 00001230010", "partita_iva", "00001230010"),
        ("IT00001230010", "partita_iva", "IT00001230010"),
        ("chiamami al\n321 0000012", "phone", "321 0000012"),
        ("+39 321\n0000012", "phone", "+39 321\n0000012"),
        ("+39 321 000 00 12", "phone", "+39 321 000 00 12"),
        ("0039 321 0000012", "phone", "0039 321 0000012"),
        ("tel. 06/0000123", "phone", "06/0000123"),
        ("8 (912) 000-12-34", "phone", "8 (912) 000-12-34"),
        ("+44 (0)20 7946 0123", "phone", "+44 (0)20 7946 0123"),
        ("(212) 555-0123", "phone", "(212) 555-0123"),
        ("600 000 012", "phone", "600 000 012"),
        ("01 99 00 12 34", "phone", "01 99 00 12 34"),
        ("0152 28817386", "phone", "0152 28817386"),
        ("３２１ ００００ ０１２", "phone", "３２１ ００００ ０１２"),
        ("mario at example dot com", "email", "mario at example dot com"),
        ("mario chiocciola example punto it", "email", "mario chiocciola example punto it"),
        ("klient(собака)example.ru", "email", "klient(собака)example.ru"),
        ("mario @ example.com", "email", "mario @ example.com"),
        ("клиент@пример.рф", "email", "клиент@пример.рф"),
        ("passaporto YA0000000", "document", "YA0000000"),
    ],
)
def test_forms_in_which_people_write(text: str, kind: str, value: str) -> None:
    assert kinds(text) == [(kind, value)]


def test_orders_are_found_by_the_desk_s_own_pattern_only() -> None:
    text = "dov'è il 10004711? e AB10004711?"
    assert kinds(text) == []
    assert kinds(text, r"\d{8}") == [("order", "10004711")]
    assert kinds(text, r"(?:AB)?\d{8}") == [("order", "10004711"), ("order", "AB10004711")]


def test_a_number_that_a_word_calls_a_phone_is_no_order() -> None:
    assert kinds("il mio cell è 3210000012", r"\d{10}") == [("phone", "3210000012")]


def test_of_several_each_is_found() -> None:
    text = "4111 1111 1111 1111, mario@example.com, 321 0000012 / 06 00001235"
    assert [kind for kind, _ in kinds(text)] == ["card", "email", "phone", "phone"]
    assert masked(text, found(text)) == "[card], [email], [phone] / [phone]"


def test_the_company_s_own_contacts_are_nobody_s() -> None:
    text = "Scriva a Care@Example.com o al +39 321 0000012, non a altro@example.com"
    left = of_others(text, found(text), ("care@example.com", "+393210000012"))
    assert [text[hit.start : hit.end] for hit in left] == ["altro@example.com"]


def test_found_is_a_plain_value() -> None:
    assert found("mario@example.com") == (Found("email", 0, 17),)


# --- speed ------------------------------------------------------------------------------------------


def cpu(text: str, times: int) -> float:
    """Microseconds of one search, the best of five."""
    best = float("inf")
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            found(text)
        best = min(best, (time.process_time() - begun) / times)
    return best * 1e6


def test_an_ordinary_message_costs_a_few_microseconds() -> None:
    text = "buongiorno vorrei sapere quando arriva il mio pacco perché lo aspetto da molti giorni grazie"
    assert cpu(text, 2_000) < 20


def test_an_ordinary_message_loads_no_search() -> None:
    code = (
        "import sys; from sportello.domain.personal_data import found;"
        "assert found('dov è il mio pacco?') == () and 'sportello.domain.personal_search' not in sys.modules;"
        "assert found('a@example.com') and 'sportello.domain.personal_search' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": LAYER}).returncode == 0


@pytest.mark.parametrize(
    "text", ["1 ", "321 ", "a.", "a@", "1-", "1.000.", "AB12", "(at) ", "example.", "v1."]
)
def test_a_hostile_message_costs_milliseconds(text: str) -> None:
    assert cpu((text * 10_000)[:10_000] + "1@", 1) < 250_000


def test_the_goals_are_met() -> None:
    table = measured.table()
    assert all(row.met for row in table.rows), table
    assert sum(1 for _ in measured.lines()) >= 400
