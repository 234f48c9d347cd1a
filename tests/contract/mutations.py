"""Webhooks as they should never be: a sample's body with something broken in it, always the same ones.

A body is broken as bytes and, where it can be read as JSON, a form, XML or gzip of one of these, in
its structure too: values of the wrong type, missing and doubled fields, endless nesting, numbers that
no machine holds, halves of characters.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sportello.channels.base import Request

LONG = "x" * 40_000
TEXTS = (
    "", " ", "0", "-1", "null", "è", "\x00", "\ud83d", "\udc00a", "\u202e", "../../etc", "=?utf-8?b?w6g",
    "%00%ff%", "9" * 400, "1e400", "2026-13-45T99:99:99Z", "https://", "http://[::1", "{", "<a>", LONG,
)  # fmt: skip
NUMBERS = (0, -1, 1.5, 2**31, 2**53, 2**63, -(2**63), 10**30, 10**400, 1e308, float("nan"), float("-inf"))
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [1, "a", {}],
    {"": {}},
    {"id": {"id": []}},
    ["a"] * 50,
)
VALUES: tuple[Any, ...] = (*TEXTS, *NUMBERS, *OTHERS)
XML_BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><xml>&b;</xml>'
XML_FILE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml>&a;</xml>'
WHOLE = (
    b"", b" ", b"null", b"0", b"[]", b"{}", b'""', b"[{}]", b'{"":""}', b"\xff\xfe", b"\x00" * 9,
    b"{" * 5_000,
    b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b"[" * 100_000, b"<xml>" * 2_000, b"<xml/>", XML_BOMB, XML_FILE,
    b"=", b"&&&", b"a=%", b"%FF=%FF", b"&".join(b"a%d=1" % n for n in range(3_000)), b"9" * 6_000, b"NaN",
    gzip.compress(b"{"), b"\x1f\x8b\x08\x00garbage", "{\"a\":\"\ud800\"}".encode("utf-16", "surrogatepass"),
)  # fmt: skip
HEADER_NAMES = ("content-type", "content-length", "user-agent", "accept", "authorization", "x-forwarded-for",
                "content-encoding", "host", "cookie", "date", "x-request-id")  # fmt: skip
HEADER_VALUES = (*TEXTS, "Bearer ", "Bearer a.b.c", "sha256=", "v1,AAAA", "gzip", "text/xml; charset=klingon",
                 "multipart/form-data", "application/x-www-form-urlencoded; charset=utf-16",
                 "Basic Og==")  # fmt: skip
QUERY_NAMES = ("hub.mode", "hub.challenge", "hub.verify_token", "crc_token", "signature", "msg_signature",
               "timestamp", "nonce", "echostr", "sig", "token", "", "a[]")  # fmt: skip


def mutated(bodies: Sequence[bytes], count: int, random: Random) -> Iterator[bytes]:
    """``count`` broken bodies, seeded from whole ones."""
    yield from WHOLE[:count]
    for number in range(count - len(WHOLE)):
        body = random.choice(bodies)
        ways = (_bytes, *_structures(body))
        yield ways[number % len(ways)](body, random)


def odd_requests(request: Request, proof: str, count: int, random: Random) -> Iterator[Request]:
    """The request without its proof (of that name), under odd headers and queries."""
    names = (*HEADER_NAMES, *request.headers, proof.lstrip("?"))
    asked = (*QUERY_NAMES, *request.query, proof.lstrip("?"))
    for _ in range(count):
        headers = {random.choice(names): random.choice(HEADER_VALUES) for _ in range(random.randrange(6))}
        query = {random.choice(asked): random.choice(TEXTS) for _ in range(random.randrange(4))}
        raw_query = urlencode(query, errors="replace")
        method = random.choice(("POST", "POST", "GET", "PUT", "HEAD", ""))
        yield replace(request, method=method, headers=headers, query=query, raw_query=raw_query)


def _structures(body: bytes) -> list[Callable[[bytes, Random], bytes]]:
    if body.startswith(b"\x1f\x8b"):
        return [_zipped, _zipped]
    if body[:1] in (b"{", b"["):
        return [_json, _json, _json]
    if body.lstrip()[:1] == b"<":
        return [_xml, _xml]
    return [_form, _form] if re.match(rb"[^=&\s]+=", body) else []


def _bytes(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body) + 1)
    match random.randrange(6):
        case 0:
            return body[:at]
        case 1:
            return body[at:]
        case 2:
            return body[:at] + random.randbytes(random.randrange(1, 9)) + body[at:]
        case 3:
            return body[:at] + body[:at] + body[at:]
        case _:
            changed = bytearray(body)
            for _ in range(random.randrange(1, 6)):
                changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
            return bytes(changed)


def _zipped(body: bytes, random: Random) -> bytes:
    inner = gzip.decompress(body)
    ways = (_bytes, *_structures(inner))
    return gzip.compress(random.choice(ways)(inner, random), mtime=0)


def _json(body: bytes, random: Random) -> bytes:
    value = json.loads(body)
    for _ in range(random.randrange(1, 4)):
        holders = list(_holders(value))
        if not holders:
            break
        holder, key = random.choice(holders)
        _break(holder, key, random)
    return json.dumps(value, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value: the object or array that holds it, and its name or index."""
    places = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in places:
        yield value, key
        yield from _holders(inner)


def _break(holder: Any, key: Any, random: Random) -> None:
    match random.randrange(8):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key], deepcopy(holder[key])]
        case 2:
            holder[key] = {"value": holder[key]}
        case 3 if isinstance(holder, dict):
            holder[random.choice(TEXTS)] = holder.pop(key)
        case 4:
            holder[key] = str(holder[key])
        case 5:
            holder[key] = _deep(random.choice((5, 30, 70, 400)))
        case _:
            holder[key] = deepcopy(random.choice(VALUES))


def _deep(levels: int) -> Any:
    value: Any = "deep"
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


def _form(body: bytes, random: Random) -> bytes:
    fields = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(fields))
        name, value = fields[at]
        fields[at : at + 1] = random.choice((
            [], [(name, random.choice(TEXTS))], [(name, value)] * 2, [(random.choice(TEXTS), value)],
            [(name, ""), (name, str(random.choice(NUMBERS)))],
        ))  # fmt: skip
        if not fields:
            break
    return urlencode(fields, encoding="utf-8", errors=random.choice(("replace", "surrogatepass"))).encode()


def _xml(body: bytes, random: Random) -> bytes:
    tags = list(re.finditer(rb"<([A-Za-z]+)>(.*?)</\1>", body, re.DOTALL))
    if not tags:
        return _bytes(body, random)
    tag = random.choice(tags)
    name, inner = tag.group(1), tag.group(2)
    text = random.choice(TEXTS).encode("utf-8", "surrogatepass")
    changed = random.choice((
        b"", tag.group(0) * 2, b"<%b>%b</%b>" % (name, text, name),
        b"<%b><![CDATA[%b]]></%b>" % (name, text, name),
        b"<%b>" % name * 300 + inner + b"</%b>" % name * 300, b"<%b>&lol;&#0;%b</%b>" % (name, inner, name),
        b"<%b a='1'>%b</%b>" % (name, inner, name), b"<%b>%b" % (name, inner),
    ))  # fmt: skip
    return body[: tag.start()] + changed + body[tag.end() :]
