"""A mail's headers and bytes, read so that nothing malformed in them can raise.

Written for what arrives, not for what RFC 5322, 2047 and 2231 allow: headers in raw UTF-8, wrong or
unknown character sets, characters split over two encoded words, addresses in no known form.
"""

import binascii
import codecs
import email
import email.policy
import quopri
import re
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses, parsedate_to_datetime
from typing import NamedTuple

from sportello.channels.base import Unparseable
from sportello.domain.model import Instant

HEADER_LIMIT = 16_000
"""Characters of one header that are read."""
ADDRESSES_LIMIT = 100

_FOLD = re.compile(r"\r?\n[ \t]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
"""Also what turns the direction of text: a name must not rewrite the line that it stands in."""
_ENCODED = re.compile(r"=\?([A-Za-z0-9_.:()-]+)(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([^?]*)\?=")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\/?#%]{1,255}")
_BRACKETED = re.compile(r"([^<>]{0,300})<\s{0,10}([^<>\s]{3,330})\s{0,10}(?:>|$)")
_ID = re.compile(r"<([^<>\s]{1,300})>")
_BARE_ID = re.compile(r"[^<>\s,;]{1,200}@[^<>\s,;]{1,100}")

# Labels that name too little: https://encoding.spec.whatwg.org/#names-and-labels
_WIDER = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-8-i": "iso-8859-8",
    "tis-620": "cp874",
}
_MANY_BYTES = re.compile(r"gb|big5|cp9[34]|iso-?2022|euc|utf-?16|utf-?32|utf-?7|hz")
_NO_CHARSETS = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"})
"""Python calls these encodings; no mail does, and some take quadratic time."""


class Mailbox(NamedTuple):
    address: str
    """Its domain in lower case."""
    name: str = ""

    @property
    def key(self) -> str:
        """What two spellings of one address have in common."""
        return self.address.lower()


class Mail:
    """A message or an attached one. Header names in any case; what is missing is empty."""

    def __init__(self, message: "Message[str, str]") -> None:
        self.message = message
        self._raw: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            self._raw.setdefault(name.lower(), []).append(str(value)[:HEADER_LIMIT])

    @classmethod
    def read(cls, raw: bytes) -> "Mail":
        """Raises Unparseable where the bytes hold no header at all, or are nested too deep."""
        try:
            mail = cls(email.message_from_bytes(raw, policy=email.policy.compat32))
        except RecursionError:
            raise Unparseable("mail: nested too deep") from None
        if not mail._raw:
            raise Unparseable("mail: no header")
        return mail

    def has(self, name: str) -> bool:
        return name in self._raw

    def names(self) -> frozenset[str]:
        return frozenset(self._raw)

    def every(self, name: str) -> list[str]:
        """All values of a header, decoded, each on one line."""
        return [readable(value) for value in self._raw.get(name, ())]

    def one(self, name: str) -> str:
        """The first value: what SES or the last server wrote stands above what the sender wrote."""
        values = self._raw.get(name)
        return readable(values[0]) if values else ""

    def word(self, name: str) -> str:
        """A value in lower case without comments and parameters, e.g. ``auto-replied``."""
        return re.split(r"[;(\s]", self.one(name).lower().lstrip(), maxsplit=1)[0]

    def mailboxes(self, name: str) -> list[Mailbox]:
        return [box for value in self._raw.get(name, ()) for box in mailboxes(value)]

    def time(self, name: str = "date") -> Instant:
        """A date header by its writer's clock; 0 where it is none."""
        try:
            return round(parsedate_to_datetime(self.one(name)).timestamp() * 1000)
        except (ValueError, TypeError, IndexError, OverflowError, OSError):
            return 0

    def ids(self, name: str) -> list[str]:
        """Message ids of a header, without brackets, in its order."""
        text = " ".join(self.every(name))
        return _ID.findall(text) or _BARE_ID.findall(text)


def readable(raw: str) -> str:
    """A raw header value as people read it: one line, decoded, no control characters."""
    return _CONTROL.sub(" ", _words(_unfolded(raw))).strip()


def mailboxes(raw: str) -> list[Mailbox]:
    """The usable addresses of a header; names are decoded after the commas have been understood."""
    value = _unfolded(raw)
    try:
        pairs = getaddresses([value])
    except Exception:  # the parser of the standard library gives up in several ways
        pairs = []
    found = [_mailbox(name, address) for name, address in pairs]
    boxes = [box for box in found if box is not None]
    if not boxes:
        boxes = _found_anyhow(value)
    return boxes[:ADDRESSES_LIMIT]


def _found_anyhow(value: str) -> list[Mailbox]:
    """What stands in angle brackets, with the words before it; else whatever looks like an address."""
    found = [_mailbox(name.strip(" ,;"), address) for name, address in _BRACKETED.findall(value)]
    bare = [_mailbox("", address) for address in _ADDRESS.findall(_words(value))]
    return [box for box in found if box] or [box for box in bare if box]


def _mailbox(name: str, address: str) -> Mailbox | None:
    address = address.strip().strip("'")
    if not _ADDRESS.fullmatch(address):
        return None
    shown = _CONTROL.sub(" ", _words(name)).strip().strip("\"'").strip()
    return Mailbox(_lower_domain(address), shown)


def _lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"


def _unfolded(raw: str) -> str:
    value = _FOLD.sub(" ", raw)
    if any("\udc80" <= character <= "\udcff" for character in value):
        value = decoded(value.encode("utf-8", "surrogateescape"), "")
    return value


def _words(value: str) -> str:
    """RFC 2047; neighbours of one character set are joined before decoding: some split a character."""
    if "=?" not in value:
        return value
    shown: list[str] = []
    pending, charset, at = b"", "", 0
    for word in _ENCODED.finditer(value):
        gap, after_word = value[at : word.start()], bool(charset)
        if charset and (gap.strip() or word[1].lower() != charset):
            shown.append(decoded(pending, charset))
            pending = b""
        if gap.strip() or not after_word:
            shown.append(gap)
        charset, at = word[1].lower(), word.end()
        pending += _word_bytes(word[2], word[3])
    if charset:
        shown.append(decoded(pending, charset))
    return "".join([*shown, value[at:]])


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw.replace(b"_", b"=20"))
    return from_base64(raw)


def from_base64(raw: bytes) -> bytes:
    """Base64 as far as it goes: wrong padding and strange characters are passed over."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def decoded(data: bytes, charset: str) -> str:
    """Bytes as text: as declared, else as UTF-8, else as Windows does; never fails, holds no NUL."""
    label = charset.strip().strip("\"'").lower()
    declared = _WIDER.get(label, label)
    for candidate in ("utf-8", declared) if declared in ("cp1252", "") else (declared, "utf-8"):
        if _is_charset(candidate):
            try:
                return _sound(data.decode(candidate))
            except (UnicodeError, ValueError):
                continue
    lenient = declared if _is_charset(declared) and _MANY_BYTES.match(declared) else "cp1252"
    return _sound(data.decode(lenient, "replace"))


def _is_charset(name: str) -> bool:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return (
        bool(getattr(found, "_is_text_encoding", True)) and found.name.replace("-", "_") not in _NO_CHARSETS
    )


def _sound(text: str) -> str:
    clean = text.replace("\x00", "").replace("\ufeff", "")
    return clean.encode("utf-8", "replace").decode("utf-8")


def file_name(part: "Message[str, str]") -> str:
    """The name of an attachment, without its folders; empty where it has none."""
    for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
        given = _parameter(part, header, parameter)
        name = re.split(r"[\\/]", readable(str(given)))[-1].strip(" .\"'")
        if name:
            return name if len(name) <= 150 else f"{name[:120]}…{name[-25:]}"
    return ""


def _parameter(part: "Message[str, str]", header: str, name: str) -> str:
    """A parameter of a header that may hold raw UTF-8, which ``get_param`` alone would lose."""
    raw = next((str(value) for key, value in part.raw_items() if key.lower() == header), "")
    clean: Message[str, str] = Message()
    clean[header] = _unfolded(raw[:HEADER_LIMIT])
    try:
        value = clean.get_param(name, None, header)
        return collapse_rfc2231_value(value) if value is not None else ""
    except Exception:  # parameters in unknown character sets, or cut off in the middle
        return ""
