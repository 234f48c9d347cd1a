"""A desk with hours of its own on several levels, and what its public page answers."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sportello import directory
from sportello.domain.desk import Served
from sportello.domain.directory import Way
from sportello.domain.model import Instant
from sportello.domain.staff import Target, Team
from sportello.services import desk as seam
from tests.unit.locales import LOCALES, in_all_languages

ROME = "Europe/Rome"
TELL = (Target(email="care@example.com"),)
WAYS = (
    Way(channel="whatsapp", link="https://wa.me/390600000000"),
    Way(channel="email", link="mailto:care@example.com?subject=a&body=b"),
    Way(
        channel="telegram",
        account="care_bot",
        link="https://t.me/care_bot",
        name=dict.fromkeys(LOCALES, "Bot"),
    ),
)


def at(text: str) -> Instant:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ROME)).timestamp() * 1000)


EVENING, MORNING = at("2026-12-21T20:15"), at("2026-12-21T10:00")
"""A Monday."""


def use(**changes: Any) -> None:
    bundle = in_all_languages(EVENING)
    ways = changes.pop("ways", WAYS)
    given: dict[str, Any] = {
        "teams": {"care": Team(tell=TELL), "returns": Team(tell=TELL, hours="Mo-Fr 10:00-12:00")},
        "channels": {"whatsapp": Served(hours="Mo-Su 08:00-22:00")},
        "accounts": (Served(channel="telegram", account="care_bot", hours="Sa 10:00-12:00"),),
    }
    seam.use(bundle.desk.model_copy(update=given | changes), bundle.texts.model_copy(update={"ways": ways}))


def get(
    path: str = "/", query: str = "", at: Instant = EVENING, method: str = "GET", **headers: str
) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {
        "rawPath": path,
        "rawQueryString": query,
        "headers": named,
        "requestContext": {"http": {"method": method}},
    }
    return directory.answer(event, at)


def facts(at: Instant = EVENING, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get("/hours.json", query, at)["body"])
    return found
