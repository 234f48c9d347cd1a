"""How long a post is by X's count, and a post's words as its author sees them.

Counting: https://docs.x.com/fundamentals/counting-characters. Every link is 23 whatever its length,
most scripts of the West count 1 a character, everything else (Chinese, Japanese, Korean, emoji) 2;
an emoji is 2 however many characters it is made of.
"""

import re
import unicodedata

POST_LIMIT = 280
LINK = 23
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""Code points that count 1."""

_TOP_LEVEL = (
    "com|org|net|edu|gov|mil|int|info|biz|name|pro|aero|coop|museum|mobi|jobs|travel|tel|cat|asia|post|xxx|"
    "app|dev|shop|store|online|site|website|blog|cloud|tech|club|live|news|help|support|agency|email|link|"
    "live|page|space|team|today|tools|video|wiki|work|works|world|zone|care|bank|eco|art|bio|bar|cafe|chat|"
    "city|design|digital|events|fashion|finance|fit|games|global|group|hotel|house|media|money|moda|network|"
    "photo|photos|pizza|plus|press|restaurant|rocks|run|school|services|social|software|studio|style|systems|"
    "tips|top|tours|vip|vin|vino|wine|xyz|[a-z]{2}"
)
_URL = re.compile(
    r"(?<![A-Za-z0-9@＠$#＃_.\-/])"
    r"(?:https?://(?:[^\W_](?:[\w\-]*[^\W_])?\.)+(?:[^\W\d_]{2,}|xn--[a-z0-9\-]+)"
    rf"|(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:{_TOP_LEVEL})(?![A-Za-z0-9@_\-]))"
    r"(?::[0-9]+)?(?:[/?](?:(?:[\w\-.!*';:=+,$%#\[\]~&|@?/]|\([^\s()]*\))*(?:[\w\-=+$/#&~]|\([^\s()]*\)))?)?",
    re.IGNORECASE,
)
_PICTURE = (
    r"(?:[\U0001F1E6-\U0001F1FF]{2}"
    r"|[0-9#*]\ufe0f?\u20e3"
    r"|(?:[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935"
    r"\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001F000-\U0001FAFF]"
    r"(?:[\U0001F3FB-\U0001F3FF]|\ufe0f)?(?:[\U000E0020-\U000E007E]+\U000E007F)?))"
)
_EMOJI = re.compile(rf"{_PICTURE}(?:\u200d{_PICTURE})*")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_HANDLES = re.compile(r"(?:@\w{1,15}\s+)+(?=\S)", re.ASCII)


def weight(text: str) -> int:
    """What a post with this text weighs; ``POST_LIMIT`` is the most."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    rest, links = _URL.subn("", text)
    plain, emoji = _EMOJI.subn("", rest)
    return LINK * links + 2 * emoji + sum(1 if _light(character) else 2 for character in plain)


def _light(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _LIGHT)


def unescaped(text: str) -> str:
    """X escapes three characters in the words it delivers."""
    for escaped, plain in _ENTITIES:
        text = text.replace(escaped, plain)
    return text


def without_handles(text: str) -> str:
    """A reply without the names that X puts before it; where it holds nothing else, they stay."""
    return _HANDLES.sub("", text, count=1) if _HANDLES.match(text) else text
