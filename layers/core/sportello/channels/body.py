"""A webhook's JSON body, read so that nothing in it can hurt later.

What no platform sends and no store takes is refused or mended here, once for all channels: NaN and
numbers beyond 64 bits, endless nesting, halves of surrogate pairs.
"""

import json
import math
import re
from typing import Any

from sportello.channels.base import Unparseable

DEEPEST = 64
"""Levels of nesting that are read; the platforms' own bodies have fewer than thirty."""
LARGEST = 2**63
SMALLEST = 1e-100
"""What is nearer to zero is zero: no store takes it as it is."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_HIGH, _LOW = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F]"
_SUSPECT = re.compile(rb"%b(?!%b)|(?<!%b)%b|\xed" % (_HIGH, _LOW, _HIGH, _LOW))
"""Where half a surrogate pair may hide: an escape without its other half, or bytes that are no UTF-8."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; lone surrogates in it become U+FFFD.

    Raises:
        Unparseable: no JSON object, NaN, a number beyond 64 bits, or nesting beyond ``DEEPEST``.
    """
    value = _read(body)
    if not isinstance(value, dict):
        raise Unparseable("body: not a JSON object")
    return value


def read_objects(body: bytes) -> list[dict[str, Any]]:
    """As ``read_object``, where an array of objects may come in place of one."""
    value = _read(body)
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in found):
        raise Unparseable("body: not a JSON object, nor an array of them")
    return found


def _read(body: bytes) -> Any:
    try:
        encoding = json.detect_encoding(body)
        value = _DECODER.decode(body.decode(encoding, "surrogatepass"))
        if encoding != "utf-8" or _is_suspect(body) or _may_be_deep(body):
            value = _tidy(value, DEEPEST)
    except RecursionError:
        raise Unparseable("body: nested too deep") from None
    except ValueError:
        raise Unparseable("body: not JSON") from None
    return value


def _is_suspect(body: bytes) -> bool:
    """Plain searches spare most bodies the expression, which takes longer than reading them."""
    marked = b"\\ud" in body or b"\\uD" in body or b"\xed" in body
    return marked and _SUSPECT.search(body) is not None


def _may_be_deep(body: bytes) -> bool:
    return body.count(b"{") + body.count(b"[") > DEEPEST


def _tidy(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        raise RecursionError
    if isinstance(value, list):
        return [_tidy(item, levels - 1) for item in value]
    return {_tidy(name, levels): _tidy(item, levels - 1) for name, item in value.items()}


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value) or abs(value) >= LARGEST:
        raise ValueError("number out of range")
    return value if abs(value) >= SMALLEST else 0.0


def _bounded(digits: str) -> int:
    value = int(digits)
    if abs(value) >= LARGEST:
        raise ValueError("number out of range")
    return value


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded)
