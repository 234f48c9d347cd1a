"""A text becomes words that can be compared: any case, with or without accents and punctuation."""

import re
import unicodedata

FIRST_HAN, LAST_HAN = "\u3400", "\u9fff"

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_DIGITS = re.compile(r"\d+")
_CONTRACTED = re.compile(r"(?<=[a-z])['’](?=(?:t|s|m|re|ve|ll|d)\b)")


def plain(text: str) -> str:
    """Lower case, no accents, words apart by single spaces: ``È urgente!!`` is ``e urgente``."""
    return " ".join(_WORD.findall(_folded(text)))


def compared(text: str) -> str:
    """The text as phrases and messages are compared, still in one piece (lines stay lines).

    Any number is as good as any other (``3 days`` and ``12 days`` are one), and ``don't`` is ``dont``.
    """
    text = _DIGITS.sub("0", _folded(text))
    if "'" in text or "’" in text:
        text = _CONTRACTED.sub("", text)
    return text


def split(text: str) -> list[str]:
    """Words of a text that ``compared`` made; each Chinese character is one."""
    if has_han(text):
        text = "".join([f" {letter} " if FIRST_HAN <= letter <= LAST_HAN else letter for letter in text])
    return _WORD.findall(text)


def has_han(text: str) -> bool:
    """Whether there is a Chinese character; not by a pattern, which takes a millisecond to compile."""
    if text.isascii() or max(text) < FIRST_HAN:
        return False
    return any(FIRST_HAN <= letter <= LAST_HAN for letter in text)


def _folded(text: str) -> str:
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return text.casefold()
