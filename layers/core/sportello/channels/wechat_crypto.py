"""WeChat's signatures and its encryption. https://developers.weixin.qq.com/doc/offiaccount/

A signature is the SHA-1 of some texts, sorted and joined. In *plain* mode they are our token, a time
and a nonce: the body is not among them. In *safe* and *compatible* mode the ciphertext is, and it
holds the message together with our AppID.

AES comes from ``cryptography``, which the layer has anyway for SNS. It is imported only when a message
is decrypted: other channels, and accounts in plain mode, never load it. A cipher of our own would be
slower, would leak by its timing, and nobody could review it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable

from sportello.channels.base import Unparseable
from sportello.channels.signatures import any_equal

KEY_FORM = re.compile(r"[A-Za-z0-9+/]{43}")
BLOCK = 16
PADDED_TO = 32
"""WeChat pads to blocks of 32 bytes, not of 16."""
RANDOM = 16
LENGTH = 4


def signature(*texts: str) -> str:
    joined = "".join(sorted(texts, key=lambda text: text.encode("utf-8", "surrogatepass")))
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def is_signed(tokens: Iterable[str], given: str, *texts: str) -> bool:
    """Whether one of our tokens makes that signature; an empty token never does."""
    return any_equal([signature(token, *texts) for token in tokens if token], given)


def decrypt(encrypted: str, aes_key: str, app_id: str) -> bytes:
    """The message in a ciphertext whose signature was right.

    Inside: 16 random bytes, the length (4 bytes, big-endian), the message, our AppID.

    Raises:
        Unparseable: it is not for us, or was made with another key.
    """
    if not KEY_FORM.fullmatch(aes_key):
        raise Unparseable("body: encrypted, and the EncodingAESKey is not set")
    try:
        data = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError):
        raise Unparseable("body: encrypted, but not base64") from None
    plain = _without_padding(_aes(base64.b64decode(aes_key + "="), data))
    length = int.from_bytes(plain[RANDOM : RANDOM + LENGTH], "big")
    message, owner = plain[RANDOM + LENGTH :][:length], plain[RANDOM + LENGTH + length :]
    if len(message) != length:
        raise Unparseable("body: decrypted to nothing that makes sense")
    if owner != app_id.encode():
        raise Unparseable("body: encrypted for another AppID")
    return message


def _aes(key: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    if not data or len(data) % BLOCK:
        raise Unparseable("body: encrypted, but not in whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:BLOCK])).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _without_padding(plain: bytes) -> bytes:
    count = plain[-1]
    if not 1 <= count <= PADDED_TO or plain[-count:] != bytes([count]) * count:
        raise Unparseable("body: decrypted to nothing that makes sense")
    return plain[:-count]
