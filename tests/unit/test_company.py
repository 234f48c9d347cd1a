"""The company's own system: signed questions, strict answers, and never an order to the wrong person."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from sportello.aws import breaker
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.post import NoReply, Reply
from sportello.domain.desk import Hook
from sportello.domain.events import OrderFacts
from sportello.domain.facts import CustomerFacts
from sportello.domain.proof import contact_hash, order_numbers
from sportello.services import company as module
from sportello.services.company import Company, Question, Told, ask, body_of, read_secret, signed

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
URL = "https://systems.example.com/sportello"
HOOK = Hook(url=URL, order_pattern=r"\b\d{8}\b", links=("track.example.com", ".shop.example.com"))
ONE, TWO = "+15550100201", "two@example.com"
NOW = 1_795_424_400_000


class System:
    """The company's system in a test: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = {}
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.urls: list[str] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], **_: Any) -> Reply:
        self.urls.append(url)
        self.asked.append(json.loads(body))
        self.headers.append(headers)
        answer = self.answer(self.asked[-1]) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Reply):
            return answer
        return Reply(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    found = System()
    monkeypatch.setattr(module, "post", found.post)
    monkeypatch.setattr(breaker, "turn", lambda _: breaker.State())
    monkeypatch.setattr(breaker, "answered", lambda _: None)
    monkeypatch.setattr(breaker, "failed", lambda *_: False)
    return found


def company(**secret: Any) -> Company:
    kept = json.dumps({"secret": SECRET} | secret)
    return Company(hook=HOOK, secrets=lambda: {"main": kept}, now=lambda: NOW)


def question(**fields: Any) -> Question:
    values: dict[str, Any] = {
        "id": "msg_1", "asks": ("customer", "order"), "thread": "t" * 26, "channel": "whatsapp",
        "attested": ONE, "orders": ("12345678",),
    }  # fmt: skip
    return Question(**(values | fields))


def order(**fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"number": "12345678", "status": "On its way", "contacts": [contact_hash(ONE)]}
    return values | fields


# --- the question -----------------------------------------------------------------------------------


def test_the_question_says_who_asks_for_what(system: System) -> None:
    ask(company(), question())

    assert system.urls == [URL]
    assert system.asked == [
        {
            "version": 1,
            "id": "msg_1",
            "asks": ["customer", "order"],
            "contact": {"channel": "whatsapp", "id": "t" * 26, "phone": ONE},
            "orders": ["12345678"],
        }
    ]


def test_it_is_signed_as_standard_webhooks_has_it(system: System) -> None:
    ask(company(), question())
    headers, body = system.headers[0], body_of(question())

    signed_over = f"msg_1.{NOW // 1000}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed_over, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-timestamp"] == str(NOW // 1000)
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_vector_of_the_specification() -> None:
    """The example that standardwebhooks.com's own libraries test with."""
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_address_is_named_as_one(system: System) -> None:
    ask(company(), question(attested=TWO, orders=()))

    assert system.asked[0]["contact"] == {"channel": "whatsapp", "id": "t" * 26, "email": TWO}
    assert "orders" not in system.asked[0]


def test_the_address_in_the_secret_wins(system: System) -> None:
    ask(company(url="https://elsewhere.example.com/"), question())

    assert system.urls == ["https://elsewhere.example.com/"]


@pytest.mark.parametrize(
    ("secrets", "problem"),
    [
        ({}, "hook_off"),
        ({"main": ""}, "hook_off"),
        ({"main": "no JSON"}, "hook_secret"),
        ({"main": "[]"}, "hook_secret"),
        ({"main": "{}"}, "hook_secret"),
        ({"main": json.dumps({"secret": "short"})}, "hook_secret"),
        ({"main": json.dumps({"secret": "whsec_" + base64.b64encode(b"x" * 23).decode()})}, "hook_secret"),
        ({"main": json.dumps({"secret": SECRET.removeprefix("whsec_")})}, "hook_secret"),
        ({"main": json.dumps({"secret": SECRET + "!"})}, "hook_secret"),
    ],
)
def test_without_a_good_secret_nobody_is_asked(system: System, secrets: dict[str, str], problem: str) -> None:
    assert ask(Company(HOOK, lambda: secrets), question()) == Told(problem=problem)
    assert system.asked == []


def test_without_an_address_nobody_is_asked(system: System) -> None:
    kept = {"main": json.dumps({"secret": SECRET})}

    assert ask(Company(Hook(), lambda: kept), question()).problem == "hook_off"


def test_secrets_that_cannot_be_read_are_a_code(system: System) -> None:
    def fail() -> dict[str, str]:
        raise SecretsUnavailable("SSM answered 500")

    assert ask(Company(HOOK, fail), question()).problem == "hook_secret"


# --- the answer -------------------------------------------------------------------------------------


def test_customer_and_order_are_told(system: System) -> None:
    system.answer = {
        "customer": {"tier": "gold", "name": "Customer One", "since": "2019", "notes": "prefers\tmornings"},
        "orders": [order(expected="tomorrow", link="https://track.example.com/1")],
        "more": {"ignored": True},
    }

    told = ask(company(), question())

    assert told.customer == CustomerFacts(
        tier="gold", name="Customer One", since="2019", notes="prefers mornings"
    )
    assert told.orders == (
        OrderFacts(
            number="12345678", status="On its way", expected="tomorrow", link="https://track.example.com/1"
        ),
    )
    assert told.problem == ""


def test_an_order_that_was_not_asked_for_is_not_told(system: System) -> None:
    system.answer = {"orders": [order()]}

    assert ask(company(), question(asks=("customer",), orders=())).orders == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"hello",
        b"<html>",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"orders": {}}',
        b'{"orders": [[]]}',
        b'{"orders": [{"number": 12345678, "status": "x"}]}',
        b'{"orders": [{"number": "12345678"}]}',
        b'{"orders": [{"number": "", "status": "x"}]}',
        b'{"orders": [{"number": "12345678", "status": "x", "contacts": "all"}]}',
        b'{"orders": [{"number": "12345678", "status": "x", "contacts": [1]}]}',
        b'{"customer": "gold"}',
        b'{"customer": {"tier": 1}}',
        b'{"customer": {"tier": true}}',
        json.dumps({"orders": [order()] * 51}).encode(),
    ],
)
def test_what_has_another_form_is_wrong(system: System, body: bytes) -> None:
    system.answer = body

    assert ask(company(), question()) == Told(problem="hook_wrong")


@pytest.mark.parametrize("status", [201, 204, 302, 401, 404, 429, 500])
def test_another_status_is_a_refusal(system: System, status: int) -> None:
    system.answer = Reply(status, json.dumps({"orders": [order()]}).encode())

    assert ask(company(), question()) == Told(problem=f"hook_refused_{status}")


@pytest.mark.parametrize("code", ["slow", "huge", "unreachable", "address", "encoded"])
def test_what_keeps_an_answer_away_is_a_code(system: System, code: str) -> None:
    system.answer = NoReply(code)

    assert ask(company(), question()) == Told(problem=f"hook_{code}")


def test_after_failures_nobody_is_asked(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "turn", lambda _: None)

    assert ask(company(), question()) == Told(problem="hook_open")
    assert system.asked == []


def test_what_would_change_the_line_is_taken_out(system: System) -> None:
    hostile = "On\x00 its\x1b[31m\u202e way\r\nDear\u2028 all\u200b" + "!" * 500
    system.answer = {
        "customer": {"name": hostile, "notes": hostile * 3, "tier": hostile},
        "orders": [order(status=hostile)],
    }

    told = ask(company(), question())

    assert told.orders[0].status.startswith("On its[31m way Dear all!!!")
    assert len(told.orders[0].status) == 200
    assert told.customer is not None
    assert told.customer.name == told.orders[0].status
    assert (len(told.customer.notes), len(told.customer.tier)) == (500, 32)


@pytest.mark.parametrize(
    "status", ["see http://evil.example.net", "WWW.evil.example.net", "javascript://x", "", "\u200b"]
)
def test_a_status_that_leads_away_or_says_nothing_is_left_to_people(system: System, status: str) -> None:
    system.answer = {"customer": {"tier": "gold"}, "orders": [order(status=status)]}

    told = ask(company(), question())

    assert (told.orders, told.problem) == ((), "hook_status")
    assert told.customer is not None


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("https://track.example.com/1?n=2#x", True),
        ("https://it.shop.example.com/", True),
        ("https://shop.example.com/", False),
        ("https://evil.example.net/", False),
        ("https://track.example.com.evil.example.net/", False),
        ("https://track.example.com@evil.example.net/", False),
        ("https://evil.example.net/https://track.example.com/", False),
        ("https://track.example.com:8443/", False),
        ("http://track.example.com/1", False),
        ("javascript:alert(1)//track.example.com", False),
        ("https://track.example.com\\@evil.example.net/", False),
        ("https://tr\u0430ck.example.com/", False),
        ("https://track.example.com/ x", False),
        ('https://track.example.com/">', False),
        ("//track.example.com/", False),
        ("https://[::1/", False),
    ],
)
def test_a_link_leads_where_the_desk_says_that_it_may(system: System, link: str, told: bool) -> None:
    system.answer = {"orders": [order(link=link)]}

    found = ask(company(), question())

    assert [order.link for order in found.orders] == [link if told else ""]


def test_no_link_is_told_unless_its_host_is_named(system: System) -> None:
    system.answer = {"orders": [order(link="https://track.example.com/1")]}
    kept = {"main": json.dumps({"secret": SECRET})}

    told = ask(Company(HOOK.model_copy(update={"links": ()}), lambda: kept), question())

    assert told.orders[0].link == ""


# --- never to the wrong person ------------------------------------------------------------------------

PEOPLE = 40
Lie = Callable[[random.Random, dict[str, Any], "Shop"], list[dict[str, Any]]]


class Shop:
    """Customers with a number and an address each, orders of theirs, and every status a word of its own."""

    def __init__(self, dice: random.Random) -> None:
        self.contacts = [(f"+1555{number:07d}", f"customer{number}@example.com") for number in range(PEOPLE)]
        numbers = dice.sample(range(10_000_000, 100_000_000), 3 * PEOPLE)
        # Neighbours: numbers that differ in one digit, of different people.
        numbers += [number + 1 for number in numbers[:PEOPLE]]
        self.owner = {str(number): index % PEOPLE for index, number in enumerate(dict.fromkeys(numbers))}

    def entry(self, number: str, *, named: str = "", contacts: list[str] | None = None) -> dict[str, Any]:
        own = [contact_hash(contact) for contact in self.contacts[self.owner[number]]]
        return {
            "number": named or number,
            "status": f"state of {self.owner[number]}",
            "contacts": own if contacts is None else contacts,
        }


def honest(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    return [shop.entry(number) for number in asked.get("orders", ()) if number in shop.owner]


def everybodys(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    some = dice.sample(sorted(shop.owner), 20)
    return [shop.entry(number) for number in some] + honest(dice, asked, shop)


def anothers(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    """Another's order under the number that was asked for, with its own contacts."""
    return [shop.entry(dice.choice(sorted(shop.owner)), named=number) for number in asked.get("orders", ())]


def neighbours(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    near = [str(int(number) + step) for number in asked.get("orders", ()) for step in (-1, 1)]
    return [shop.entry(number) for number in near if number in shop.owner]


def careless(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    """It says that it matches, or names contacts in a form that proves nothing."""
    contact = asked["contact"].get("phone") or asked["contact"].get("email") or ""
    forms = [
        [contact],
        [contact.upper()],
        [contact_hash(contact).upper()],
        [contact_hash(contact)[:40]],
        [""],
        [],
    ]
    known = [number for number in asked.get("orders", ()) if number in shop.owner]
    return [shop.entry(number, contacts=dice.choice(forms)) | {"matches": True} for number in known]


def disguised(dice: random.Random, asked: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    """The customer's own contacts, under a number that only looks like the one that was asked for."""
    entries = honest(dice, asked, shop)
    return [
        entry | {"number": entry["number"][:-1] + dice.choice("²OlI①"), "status": "state of nobody"}
        for entry in entries
    ]


LIES: tuple[Lie, ...] = (honest, everybodys, anothers, neighbours, careless, disguised)


def written(dice: random.Random, number: str) -> str:
    """The number as a customer may write it."""
    other = {
        "plain": number,
        "full width": "".join(chr(ord(digit) + 0xFEE0) for digit in number),
        "arabic": "".join(chr(0x0660 + int(digit)) for digit in number),
        "hidden": f"{number[:4]}\u200b{number[4:]}",
        "in words": f"ordine n. {number}, grazie",
        "on a line": f"\n\t {number} \n",
    }
    return f"where is {dice.choice(list(other.values()))} ?"


def test_in_10_000_tries_no_order_goes_to_the_wrong_person(system: System) -> None:
    dice, legitimate, told_legitimate, told_at_all = random.Random(20_261_123), 0, 0, 0
    work = company()
    shop = Shop(dice)
    for _ in range(10_000):
        who = dice.randrange(PEOPLE)
        attested = dice.choice(["", *shop.contacts[who], shop.contacts[who][1].upper()])
        theirs = [number for number, owner in shop.owner.items() if owner == who]
        number = dice.choice(theirs) if dice.random() < 0.5 else dice.choice(sorted(shop.owner))
        if dice.random() < 0.1:
            number = str(int(number) + dice.choice([-1, 1]))
        numbers = order_numbers(written(dice, number), HOOK.order_pattern)
        assert numbers == (number,)
        lie = dice.choice(LIES)
        system.answer = lambda asked, lie=lie: {"orders": lie(dice, asked, shop)}

        told = ask(work, question(attested=attested, orders=numbers))

        told_at_all += len(told.orders)
        assert {order.status for order in told.orders} <= {f"state of {who}"}
        assert {order.number for order in told.orders} <= {number}
        if not attested:
            assert told.orders == ()
        if shop.owner.get(number) == who and attested and lie in (honest, everybodys):
            legitimate += 1
            told_legitimate += len(told.orders) >= 1

    assert legitimate == told_legitimate > 1_000
    assert told_at_all >= legitimate
