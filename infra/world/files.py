"""The files that customers send: made up from their id, so nothing needs to be stored."""

import base64
import hashlib


def file_bytes(file_id: str) -> bytes:
    return b"The content of " + file_id.encode() + b".\n"


def digest_base64(file_id: str) -> str:
    return base64.b64encode(hashlib.sha256(file_bytes(file_id)).digest()).decode()


def digest_hex(file_id: str) -> str:
    return hashlib.sha256(file_bytes(file_id)).hexdigest()
