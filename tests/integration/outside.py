"""Whom the consult worker asks in the tests: a company's system with a script, and an answerer."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from sportello.aws.outbox import Address
from sportello.channels.post import Reply
from sportello.domain.desk import Hook
from sportello.domain.model import Instant
from sportello.domain.proof import contact_hash
from sportello.services import company
from sportello.services.company import Company
from sportello.services.consult import consult
from sportello.services.faq import Hit
from sportello.services.outside import Outside
from tests.integration.stage import Stage, kicks

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
URL = "https://systems.example.com/sportello"
HOOK = Hook(url=URL, order_pattern=r"\b\d{8}\b", links=("track.example.com",))
NUMBER, PHONE = "12345678", "+15550100201"
FAQ_WORDS = "When are you open?"


@dataclass
class Outer:
    """The company's system and the frequent questions, and what became of them."""

    stage: Stage
    connected: bool = True
    tier: str = "gold"
    orders: dict[str, str] = field(default_factory=lambda: {NUMBER: PHONE})
    """Number of each order, and whose it is."""
    says: Any = None
    """What it answers instead: bytes, a status, an exception."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    buttons: bool = True
    real: Instant = 1_795_424_400_000
    """By the clock that the breaker goes by."""

    def post(self, url: str, body: bytes, headers: dict[str, str], **_: Any) -> Reply:
        self.asked.append(json.loads(body))
        if isinstance(self.says, BaseException):
            raise self.says
        if isinstance(self.says, Reply):
            return self.says
        orders = [
            {"number": number, "status": f"state of {number}", "contacts": [contact_hash(owner)]}
            for number, owner in self.orders.items()
        ]
        return Reply(200, json.dumps({"customer": {"tier": self.tier}, "orders": orders}).encode())

    def answer(self, text: str, language: str, at: Instant, **where: Any) -> Hit | None:
        self.questions.append(text)
        if isinstance(self.says, AssertionError):
            raise self.says
        return Hit("hours", 1.0, language) if text == FAQ_WORDS else None

    @property
    def outside(self) -> Outside:
        secrets = {"main": json.dumps({"secret": SECRET})} if self.connected else {}
        return Outside(
            desk=self.stage.desk,
            now=lambda: self.stage.now,
            answerer=lambda: self,
            company=Company(self.stage.desk.hook, lambda: secrets, now=lambda: self.real),
            shows_buttons=lambda _: self.buttons,
        )

    def work(self) -> list[str]:
        """Every kick that is there, worked; what became of each."""
        outside = self.outside
        return [consult(outside, Address(thread, key)) for thread, key in kicks("consult")]


def outer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Outer:
    stage.desk = stage.desk.model_copy(update={"hook": HOOK, "faq_words": frozenset({"open", "parce"})})
    found = Outer(stage)
    monkeypatch.setattr(company, "post", found.post)
    return found
