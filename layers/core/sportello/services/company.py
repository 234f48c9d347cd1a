"""The company's own system: one signed question, one answer in time, or a code why there is none.

The protocol is described in docs/hook.md. The question is signed as standardwebhooks.com says; the answer
is believed in what it says of the customer, and never in whose order something is: that is proved here
(``domain.proof``). Whatever goes wrong becomes a code, and after five failures in a row nobody is asked
for a while.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets as random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from sportello.aws import breaker
from sportello.aws.clock import real_now
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.post import NoReply, post
from sportello.domain.desk import Hook
from sportello.domain.events import OrderFacts
from sportello.domain.facts import CustomerFacts
from sportello.domain.keys import THREAD_ID_LENGTH
from sportello.domain.model import SECOND, Instant
from sportello.domain.proof import proved

NAME = "main"
"""Name of the secret ``/<stack>/hook/main``: ``{"url": …, "secret": "whsec_…"}``."""
SECRET_PREFIX = "whsec_"  # noqa: S105 what every secret begins with
SECRET_LEAST = 24
"""Bytes of a signing secret."""
SECONDS = 2.0
LIMIT = 64 * 1024
VERSION = 1


class Question(NamedTuple):
    id: str
    """The same whenever the same thing is asked again."""
    asks: tuple[str, ...]
    """``customer``, ``order``."""
    thread: str
    channel: str
    attested: str = ""
    """What the platform attests of the writer: a phone number or an address."""
    orders: tuple[str, ...] = ()
    """The numbers that the customer wrote, canonical."""


class Told(NamedTuple):
    customer: CustomerFacts | None = None
    orders: tuple[OrderFacts, ...] = ()
    """Those that are this customer's for sure."""
    problem: str = ""
    opened: bool = False
    """From now on nobody is asked for a while: somebody should know."""


class Company(NamedTuple):
    hook: Hook
    secrets: Callable[[], Mapping[str, str]]
    """What stands below ``/<stack>/hook/``; raises ``SecretsUnavailable``."""
    rewrite: str = ""
    """Base URL of the local world."""
    now: Callable[[], Instant] = real_now
    seconds: float = SECONDS


class _Unusable(Exception):
    """No question can be asked; the text is the code."""


def ask(company: Company, question: Question) -> Told:
    """What the company says; never raises for what its system does."""
    try:
        url, key = _whom(company)
    except _Unusable as error:
        return Told(problem=str(error))
    turn = breaker.turn(company.now())
    if turn is None:
        return Told(problem="hook_open")
    try:
        answer = _answer(company, url, key, question)
    except NoReply as error:
        return Told(problem=f"hook_{error.code}", opened=breaker.failed(turn, company.now()))
    breaker.answered(turn)
    return _told(answer, company.hook, question)


def probe(company: Company) -> str:
    """What is wrong with the company's system, as a code; empty: it answers, and only to who is signed.

    Asks about nobody, twice: signed, and with a key that is not the secret's. The breaker stays as it is.
    """
    question = Question(f"msg_{random.token_hex(8)}", (), "a" * THREAD_ID_LENGTH, "test")
    try:
        url, key = _whom(company)
        _answer(company, url, key, question)
    except _Unusable as error:
        return str(error)
    except NoReply as error:
        return f"hook_{error.code}"
    try:
        _answer(company, url, random.token_bytes(len(key)), question)
    except NoReply as error:
        return "" if error.code in UNSIGNED else f"hook_{error.code}"
    return "hook_unsigned"


UNSIGNED = ("refused_400", "refused_401", "refused_403")
"""What the company's system answers to who is not signed."""


# --- whom to ask, and how it is signed --------------------------------------------------------------


def _whom(company: Company) -> tuple[str, bytes]:
    try:
        text = company.secrets().get(NAME, "")
    except SecretsUnavailable:
        raise _Unusable("hook_secret") from None
    if not text:
        raise _Unusable("hook_off")
    try:
        kept = json.loads(text)
        url, secret = str(kept.get("url") or company.hook.url), str(kept["secret"])
        key = read_secret(secret)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _Unusable("hook_secret") from None
    if not url:
        raise _Unusable("hook_off")
    return url, key


def read_secret(text: str) -> bytes:
    """The key of a ``whsec_…`` secret. Raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("no base64 behind whsec_") from None
    if not text.startswith(SECRET_PREFIX) or len(key) < SECRET_LEAST:
        raise ValueError(f"a secret is {SECRET_PREFIX} and {SECRET_LEAST} bytes or more as base64")
    return key


def signed(key: bytes, id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of standardwebhooks.com; ``at`` in Unix seconds."""
    signature = base64.b64encode(hmac.new(key, f"{id}.{at}.".encode() + body, hashlib.sha256).digest())
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature.decode()}",
    }


def body_of(question: Question) -> bytes:
    contact: dict[str, str] = {"channel": question.channel, "id": question.thread}
    if question.attested:
        contact["email" if "@" in question.attested else "phone"] = question.attested
    asked = {"version": VERSION, "id": question.id, "asks": list(question.asks), "contact": contact}
    if question.orders:
        asked["orders"] = list(question.orders)
    return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


# --- what is answered --------------------------------------------------------------------------------


def _whole_line(text: str) -> str:
    """On one line, without control characters and without marks that turn the direction of what follows."""
    kept = (" " if letter in "\r\n\t" else letter for letter in text if letter in "\r\n\t" or _shown(letter))
    return " ".join("".join(kept).split())


def _shown(letter: str) -> bool:
    return not unicodedata.category(letter).startswith("C") or letter == "\u200d"


def _cut(most: int) -> AfterValidator:
    return AfterValidator(lambda text: _whole_line(text)[:most])


def _nothing_as_empty(value: object) -> object:
    return "" if value is None else value


Short = Annotated[str, BeforeValidator(_nothing_as_empty), _cut(32)]
Line = Annotated[str, BeforeValidator(_nothing_as_empty), _cut(200)]
Notes = Annotated[str, BeforeValidator(_nothing_as_empty), _cut(500)]
Address = Annotated[str, BeforeValidator(_nothing_as_empty), Field(max_length=2_000)]


class _Customer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    tier: Short = ""
    name: Line = ""
    since: Short = ""
    notes: Notes = ""


class _Order(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    number: Annotated[str, Field(min_length=1, max_length=64)]
    status: Line
    expected: Line = ""
    link: Address = ""
    contacts: Annotated[list[str], Field(max_length=50)] = []


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    customer: _Customer | None = None
    orders: Annotated[list[_Order], Field(max_length=50)] = []


def _answer(company: Company, url: str, key: bytes, question: Question) -> _Answer:
    """Raises NoReply."""
    body = body_of(question)
    headers = signed(key, question.id, company.now() // SECOND, body)
    reply = post(url, body, headers, seconds=company.seconds, limit=LIMIT, rewrite=company.rewrite)
    if reply.status != 200:
        raise NoReply(f"refused_{reply.status}")
    try:
        return _Answer.model_validate_json(reply.body)
    except (ValidationError, RecursionError):
        raise NoReply("wrong") from None


def _told(answer: _Answer, hook: Hook, question: Question) -> Told:
    customer = None if answer.customer is None else CustomerFacts(**answer.customer.model_dump())
    own = [order for order in answer.orders if _is_theirs(order, question)]
    tellable = tuple(_order(order, hook) for order in own if order.status and not _leads(order.status))
    return Told(customer, tellable, "hook_status" if len(tellable) < len(own) else "")


def _is_theirs(order: _Order, question: Question) -> bool:
    return proved(order.number, question.orders, order.contacts, question.attested)


def _order(order: _Order, hook: Hook) -> OrderFacts:
    return OrderFacts(
        number=_whole_line(order.number),
        status=order.status,
        expected="" if _leads(order.expected) else order.expected,
        link=order.link if _may_lead(order.link, hook.links) else "",
    )


def _leads(text: str) -> bool:
    """What is said to the customer holds no address: where it leads is in ``link``, which is checked."""
    return _ADDRESS.search(text) is not None


_ADDRESS = re.compile(r"://|\bwww\.", re.IGNORECASE)


def _may_lead(link: str, hosts: Sequence[str]) -> bool:
    if not link.isascii() or not link.isprintable() or any(letter in link for letter in ' <>"\\'):
        return False
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or port is not None or parts.username is not None or not parts.hostname:
        return False
    name = parts.hostname
    return any(name.endswith(host) if host.startswith(".") else name == host for host in hosts)
