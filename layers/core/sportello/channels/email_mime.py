"""The parts of a mail: what its writer wrote, and the files that came with it."""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Literal, NamedTuple

from sportello.channels.email_html import to_text
from sportello.channels.email_wire import Mail, decoded, file_name, from_base64

FILES_MOST = 50
"""Files of one mail that become attachments; the mail itself keeps all."""
DEEPEST = 30
MESSAGE = "message/rfc822"

_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
     "application/pgp-keys"}
)  # fmt: skip
_ENCRYPTED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"})
_SHOWN = frozenset({"text/plain", "text/html"})

Part = Message
FileKind = Literal["image", "video", "audio", "document"]


class File(NamedTuple):
    id: str
    """Its number within the mail, from 1."""
    mime: str
    name: str
    content: bytes

    @property
    def kind(self) -> FileKind:
        for kind in ("image", "video", "audio"):
            if self.mime.startswith(f"{kind}/") and self.mime != "image/svg+xml":
                return kind
        return "document"


class Body(NamedTuple):
    text: str
    files: tuple[File, ...]
    encrypted: bool = False


class _Piece(NamedTuple):
    """What one part gives: text, and the parts that are files."""

    plain: str = ""
    html: str = ""
    files: tuple["Part[str, str]", ...] = ()

    @property
    def text(self) -> str:
        return self.plain or self.html


def body(mail: Mail) -> Body:
    """The text as it was written, and every file; signatures of the mail itself are left out."""
    piece = _read(mail.message, 0)
    parts = [part for part in piece.files if _mime(part) not in _SIGNATURES]
    files = tuple(_file(number, part) for number, part in enumerate(parts[:FILES_MOST], 1))
    encrypted = any(file.mime in _ENCRYPTED for file in files) and not piece.text.strip()
    return Body(piece.text.strip("\n\r \t"), files, encrypted)


def attached_mails(mail: Mail) -> Iterator[tuple[str, Mail]]:
    """Mails attached to this one, each with its file name."""
    for part in leaves(mail.message):
        inner = _inner(part)
        if inner is not None:
            yield file_name(part), inner


def leaves(part: "Part[str, str]", depth: int = 0) -> Iterator["Part[str, str]"]:
    """All parts that are not multipart; attached mails stay whole."""
    if part.get_content_maintype() == "multipart" and part.is_multipart() and depth < DEEPEST:
        for child in _children(part):
            yield from leaves(child, depth + 1)
    else:
        yield part


def content(part: "Part[str, str]") -> bytes:
    """A part's bytes, free of its transfer encoding."""
    if part.is_multipart():
        return _whole(part)
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # broken uuencode, characters that no payload may hold
        payload = None
    if isinstance(payload, bytes):
        raw = part.get_payload()
        if encoding == "base64" and not payload and isinstance(raw, str) and raw.strip():
            return from_base64(raw.encode("ascii", "replace"))
        return payload
    return b""


def text_of(part: "Part[str, str]") -> str:
    """A text part as text, with lines as its writer meant them."""
    charset = str(part.get_param("charset", "") or "")
    data = content(part)
    if _mime(part) == "text/html" and not charset:
        charset = _declared_inside(data)
    text = decoded(data, charset).replace("\r\n", "\n").replace("\r", "\n")
    if _mime(part) == "text/plain" and str(part.get_param("format", "")).lower() == "flowed":
        text = _unflowed(text, str(part.get_param("delsp", "")).lower() == "yes")
    return text


def _read(part: "Part[str, str]", depth: int) -> _Piece:
    mime = _mime(part)
    if mime.startswith("multipart/") and part.is_multipart() and depth < DEEPEST:
        pieces = [_read(child, depth + 1) for child in _children(part)]
        return _alternative(pieces, part) if mime == "multipart/alternative" else _joined(pieces)
    if mime in _SHOWN and not _is_file(part):
        text = text_of(part)
        return _Piece(plain=text) if mime == "text/plain" else _Piece(html=to_text(text))
    return _Piece(files=(part,))


def _joined(pieces: list[_Piece]) -> _Piece:
    """Parts one after the other: Apple Mail writes text around every picture."""
    texts = [piece.text for piece in pieces if piece.text.strip()]
    files = tuple(part for piece in pieces for part in piece.files)
    return _Piece(plain="\n".join(texts), files=files)


def _alternative(pieces: list[_Piece], part: "Part[str, str]") -> _Piece:
    """One text in several forms: the plain one, unless it is empty."""
    plain = next((piece.plain for piece in pieces if piece.plain.strip()), "")
    html = next((piece.html for piece in pieces if piece.html.strip()), "")
    files = tuple(part for piece in pieces for part in piece.files if _mime(part) != "text/x-amp-html")
    return _Piece(plain=plain, html=html, files=files)


def _children(part: "Part[str, str]") -> list["Part[str, str]"]:
    payload = part.get_payload()
    return [child for child in payload if isinstance(child, Message)] if isinstance(payload, list) else []


def _mime(part: "Part[str, str]") -> str:
    return part.get_content_type().lower()


def _is_file(part: "Part[str, str]") -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(file_name(part))


def _file(number: int, part: "Part[str, str]") -> File:
    mime = _mime(part)
    name = file_name(part)
    if not name and mime == MESSAGE:
        name = "message.eml"
    if not name and mime == "text/calendar":
        name = "invitation.ics"
    sane = mime if re.fullmatch(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,90}", mime) else ""
    return File(str(number), sane or "application/octet-stream", name or f"file-{number}", content(part))


def _inner(part: "Part[str, str]") -> Mail | None:
    """The mail in a ``message/rfc822`` part, or in an ``.eml`` file of any type."""
    if _mime(part) == MESSAGE and part.is_multipart():
        children = _children(part)
        return Mail(children[0]) if children else None
    if file_name(part).lower().endswith(".eml"):
        try:
            return Mail.read(content(part))
        except Exception:  # a file of that name that is no mail
            return None
    return None


def _whole(part: "Part[str, str]") -> bytes:
    """An attached mail, written out again."""
    found: list[bytes] = []
    for child in _children(part):
        try:
            found.append(child.as_bytes())
        except Exception:  # headers that the generator of the standard library refuses to write
            found.append(text_of(child).encode("utf-8", "replace"))
    return b"\n".join(found)


def _declared_inside(data: bytes) -> str:
    found = re.search(
        rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", data[:4096], re.IGNORECASE
    )
    return found[1].decode("ascii") if found else ""


def _unflowed(text: str, delete_space: bool) -> str:
    """RFC 3676: a line that ends with a space goes on in the next one, at the same depth of quoting."""
    lines: list[str] = []
    flowing = False
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        prefix = ">" * depth + (" " if depth else "")
        if flowing and lines and _depth(lines[-1]) == depth and words != "-- ":
            before = lines[-1][:-1] if delete_space else lines[-1]
            lines[-1] = before + words
        else:
            lines.append(prefix + words)
        flowing = words.endswith(" ") and words != "-- "
    return "\n".join(lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(">"))
