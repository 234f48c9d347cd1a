"""Files: those that customers send, made up from their address, and ours, as platforms are given them."""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from infra.world.model import File
from infra.world.wire import Answer, Call
from sportello.domain.model import Model

FETCH_SECONDS = 10.0
BEGINNINGS = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "video/mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2mp41",
    "audio/ogg": b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01",
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "audio/mp4": b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00isomiso2mp41",
    "audio/amr": b"#!AMR\n",
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "application/pdf": b"%PDF-1.4\n",
}
"""How files of these types begin, for whoever looks at the content rather than at the name."""


class Served(Model):
    """What lies at an address that a customer's file is fetched from."""

    channel: str
    """Whose calls to fail apply to it, with the method ``file``."""
    mime: str = "application/octet-stream"
    size: int = 0
    """Bytes; 0: as few as a file of that type needs."""
    status: int = 200
    redirect: str = ""
    """Answered 302 to there instead."""
    authorization: str = ""
    """What the header of that name has to say; empty: anybody may fetch."""
    chunked: bool = False
    """The answer does not tell the length beforehand."""
    encrypted: str = ""
    """Hexadecimal key with which it lies there (AES-256 in counter mode from zero); empty: in the clear."""

    def content(self, place: str) -> bytes:
        content = file_bytes(place.rpartition("/")[2], self.mime, self.size)
        if not self.encrypted:
            return content
        cipher = Cipher(algorithms.AES256(bytes.fromhex(self.encrypted)), modes.CTR(bytes(16))).encryptor()
        return cipher.update(content) + cipher.finalize()

    def answer(self, place: str, call: Call) -> Answer:
        if self.authorization and call.headers.get("authorization") != self.authorization:
            return Answer(401, b"", "text/plain", code="401")
        if self.redirect:
            return Answer(302, headers={"Location": self.redirect}, code="302")
        if self.status != 200:
            return Answer(self.status, b"", "text/plain", code=str(self.status))
        return Answer(200, self.content(place), self.mime, chunked=self.chunked)


def customer_file(channel: str, mime: str, more: Mapping[str, str], authorization: str = "") -> Served:
    """A customer's file; ``Say.more`` may ask for trouble.

    Its ``mime``, ``size`` (bytes), ``status``, ``redirect`` (to where) and ``chunked`` (``yes``).
    """
    return Served(
        channel=channel,
        mime=more.get("mime", mime),
        size=int(more.get("size", "0")),
        status=int(more.get("status", "200")),
        redirect=more.get("redirect", ""),
        authorization=authorization,
        chunked=more.get("chunked") == "yes",
    )


def file_bytes(file_id: str, mime: str = "", size: int = 0) -> bytes:
    """A file's content: it begins as its type does, and is as long as asked for."""
    beginning = BEGINNINGS.get(mime.partition(";")[0].strip(), b"")
    content = beginning + b"The content of " + file_id.encode() + b".\n"
    return content.ljust(size, b".")[: size or None]


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_base64(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def place_of(url: str) -> str:
    """Host and path: by these a customer's file is found, whatever the query holds."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


def uploaded(content: bytes, name: str = "", mime: str = "") -> File:
    """A file of ours that we sent along."""
    return File(name=name, mime=mime, size=len(content), sha256=sha256_hex(content))


def fetched(url: str, name: str = "") -> File | None:
    """A file of ours that the platform fetches by itself; None where it cannot be had.

    Not under the state's lock: somebody else answers.
    """
    try:
        answer = urllib3.request("GET", url, timeout=FETCH_SECONDS, retries=False, redirect=False)
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    if answer.status != 200:
        return None
    mime = answer.headers.get("content-type", "")
    return uploaded(answer.data, name, mime).model_copy(update={"url": url})
