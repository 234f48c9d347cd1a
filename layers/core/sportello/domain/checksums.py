"""Numbers that prove themselves: payment cards, IBAN, Italian and Russian registers.

Each predicate takes the number without separators, in ASCII digits and capitals. Imported only where
a text holds a number at all (``personal_search``).
"""

_ODD_LETTERS = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_ODD_LETTERS[:10], *_ODD_LETTERS), strict=True))
"""What a character counts at odd places of a codice fiscale; no rule makes them, the decree lists them."""

_OMOCODIA = str.maketrans("LMNPQRSTUV", "0123456789")
_LONG_MONTHS = {"A": 31, "B": 29, "C": 31, "D": 30, "E": 31, "H": 30}
_MONTHS = _LONG_MONTHS | {"L": 31, "M": 31, "P": 30, "R": 31, "S": 30, "T": 31}

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Characters of an IBAN by country: SWIFT's IBAN Registry."""


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right is doubled, its digits are added."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def card(digits: str) -> bool:
    """A payment card: a range and length that an issuer has (ISO/IEC 7812), and Luhn."""
    return len(digits) in card_lengths(digits) and luhn(digits) and len(set(digits)) > 1


def card_lengths(digits: str) -> tuple[int, ...]:
    """The lengths that cards of this beginning have; none: nobody issues it.

    Ranges as the schemes publish them: Visa 4, Mastercard 51-55 and 2221-2720, Maestro 50, 56-58, 63, 67,
    American Express 34 and 37, Discover 6011, 644-649, 65, Diners 300-305, 36, 38, JCB 3528-3589,
    UnionPay 62, Mir 2200-2204. The 13 digits of Visa's oldest cards are no longer issued, and an EAN may
    begin with 4.
    """
    one, two, three, four = digits[0], digits[:2], int(digits[:3]), int(digits[:4])
    if one == "4":
        return (16, 19)
    if "51" <= two <= "55" or 2221 <= four <= 2720:
        return (16,)
    if 2200 <= four <= 2204:
        return (16, 17, 18, 19)
    if two in ("34", "37"):
        return (15,)
    if four == 6011 or 644 <= three <= 659 or two == "62":
        return (16, 17, 18, 19)
    if 300 <= three <= 305 or two in ("36", "38"):
        return (14, 16)
    if 3528 <= four <= 3589:
        return (16,)
    if two in ("50", "56", "57", "58", "63", "67"):
        return (13, 15, 16, 18, 19)
    return ()


def iban(text: str) -> bool:
    """ISO 13616: the country's length, and mod 97 (ISO 7064) of the text turned round is 1."""
    if len(text) != IBAN_LENGTHS.get(text[:2]) or not text[2:4].isdigit() or not text.isalnum():
        return False
    number = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return int(number) % 97 == 1


def codice_fiscale(text: str) -> bool:
    """A person's code of 16: a day that exists, and the check letter (D.M. 23 December 1976).

    In case of omocodia (two people with one code) digits are replaced by letters from the right; they
    count as the letters that they are.
    """
    if len(text) != 16 or not text.isalnum():
        return False
    day = text[9:11].translate(_OMOCODIA)
    if not day.isdigit() or not text[6:8].translate(_OMOCODIA).isdigit():
        return False
    born = int(day) % 40
    if int(day) > 71 or not 1 <= born <= _MONTHS.get(text[8], 0):
        return False
    total = sum(_ODD[character] for character in text[0:15:2])
    total += sum(int(character, 36) - (0 if character.isdigit() else 10) for character in text[1:15:2])
    return text[15] == chr(65 + total % 26)


def partita_iva(digits: str) -> bool:
    """11 digits: number, province's office, Luhn (D.M. 23 December 1976). Also a company's codice fiscale."""
    if len(digits) != 11 or not digits.isdigit() or digits[:7] == "0000000":
        return False
    office = int(digits[7:10])
    return (1 <= office <= 100 or office in (120, 121, 888, 999)) and luhn(digits)


def snils(digits: str) -> bool:
    """11 digits; the last two are the sum of the nine by their place from the right, mod 101, 100 is 00.

    Pension Fund of Russia, rules of the insurance number; checked from 001-001-998 on.
    """
    if len(digits) != 11 or not digits.isdigit() or int(digits[:9]) <= 1_001_998:
        return False
    total = sum(int(digit) * (9 - place) for place, digit in enumerate(digits[:9]))
    return int(digits[9:]) == total % 101 % 100


_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)


def inn(digits: str) -> bool:
    """10 digits of a company or 12 of a person (Federal Tax Service, order of 29 June 2012, MMV-7-6/435)."""
    if not digits.isdigit() or len(set(digits)) == 1:
        return False
    if len(digits) == 10:
        return int(digits[9]) == _inn_digit(digits, _INN_10)
    return (
        len(digits) == 12
        and int(digits[10]) == _inn_digit(digits, _INN_11)
        and int(digits[11]) == _inn_digit(digits, _INN_12)
    )


def _inn_digit(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False)) % 11 % 10
