"""The company's own system: who its customers are and where their parcels, by the protocol of docs/hook.md.

Every person of the world is a customer with one order, whose number is made of theirs: ``order_of``. The
first customer of every demo is a gold one.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any

from infra.world.faults import Fault
from infra.world.model import Person
from infra.world.platform import StandIn
from infra.world.wire import Answer, Call, Target, json_answer, text_answer

HOST = "orders.example.com"
LOCAL_SECRET = "whsec_" + base64.b64encode(b"the local desk and its company!!").decode()
TOLERANCE = 300
"""Seconds by which a request may be old."""
GOLD = "Customer One"
HUGE = 200_000


def order_of(person: Person) -> str:
    """The number of the order that this person has: eight digits."""
    return str(10_000_000 + person.number % 90_000_000)


class Company(StandIn):
    name = "company"
    hosts = (HOST,)
    faults = frozenset({"401", "404", "429", "500", "redirect", "wrong", "huge", "hostile"})

    def target(self, call: Call) -> Target:
        contact = (call.json or {}).get("contact")
        known = contact if isinstance(contact, dict) else {}
        return Target("ask", str(known.get("phone") or known.get("email") or ""), sends=True)

    def answer(self, call: Call) -> Answer:
        if not _signed(call):
            return json_answer(401, {"error": "signature"}, code="signature")
        asked = call.json
        if call.method != "POST" or asked is None or asked.get("version") != 1:
            return json_answer(400, {"error": "version"}, code="version")
        with self.state.lock:
            return json_answer(200, self._facts(asked))

    def _facts(self, asked: dict[str, Any]) -> dict[str, Any]:
        contact = asked["contact"].get("phone") or asked["contact"].get("email") or ""
        people = list(self.state.people.values())
        facts: dict[str, Any] = {}
        who = next((person for person in people if contact and contact in self._contacts(person)), None)
        if "customer" in asked["asks"] and who is not None:
            tier = "gold" if who.name == GOLD else ""
            facts["customer"] = {"tier": tier, "name": who.name, "since": "2019"}
        if "order" in asked["asks"]:
            wanted = asked.get("orders", [])
            facts["orders"] = [self._order(person) for person in people if order_of(person) in wanted]
        return facts

    def _order(self, person: Person) -> dict[str, Any]:
        return {
            "number": order_of(person),
            "status": "in viaggio / on its way",
            "expected": "domani / tomorrow",
            "contacts": [hashlib.sha256(contact.encode()).hexdigest() for contact in self._contacts(person)],
        }

    def _contacts(self, person: Person) -> list[str]:
        return [f"+{person.wa_id}", *self._addresses(person)]

    def _addresses(self, person: Person) -> Iterator[str]:
        if "email" in self.state.channels:
            yield from (address.lower() for address in self.state.channels["email"].addresses(person))

    def fail(self, call: Call, fault: Fault) -> Answer:
        match fault.kind:
            case "redirect":
                return Answer(302, headers={"location": "http://127.0.0.1/"}, code="redirect")
            case "wrong":
                return text_answer(200, "<html>Log in, please</html>")
            case "huge":
                return json_answer(200, {"customer": {"notes": "a" * HUGE}})
            case "hostile":
                return json_answer(200, self._hostile(call.json or {}))
        status = int(fault.kind)
        return json_answer(status, {"error": fault.text}, code=fault.kind)

    def _hostile(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Somebody else's order under the number that was asked for, and words that would like to be more."""
        return {
            "customer": None,
            "orders": [
                {"number": number, "status": "{{ desk }} <script>", "contacts": ["*"], "matches": True}
                for number in asked.get("orders", ())
            ],
        }


def _signed(call: Call) -> bool:
    """As standardwebhooks.com has it."""
    id, at = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
    if not id or not at.isdigit() or abs(time.time() - int(at)) > TOLERANCE:
        return False
    key = base64.b64decode(LOCAL_SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{at}.".encode() + call.body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    given = call.headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
