"""A sample of the year: what the simulator says of it is what the Lambdas decide, decision by decision.

Nights, weekends, both changes of the clock, Christmas, the holidays of August: each a few customers who
write in private or below a post, are answered or not, while the sweeper comes by.
"""

import random
from collections import Counter
from collections.abc import Iterator
from itertools import dropwhile
from typing import Any

import pytest

from infra.simulate.consult import Outside
from infra.simulate.entry import Entry
from infra.simulate.lines import Scenario
from infra.simulate.scenario import of_lines
from infra.simulate.sending import Sending
from infra.simulate.stored import lines_of
from infra.simulate.world import World
from sportello.domain.model import HOUR, MINUTE, SECOND, Instant
from sportello.services import desk as desk_seam
from sportello.services.reply import look
from sportello.services.wording import Wording
from tests.e2e.conftest import running
from tests.e2e.rehearsed import Engine, assert_alike, by_simulator
from tests.e2e.stage import Stage, instant
from tests.unit.year import PUBLIC, Customer, acts, conversation

WINDOWS = {
    "an ordinary morning": "2026-02-10 09:05",
    "over lunch": "2026-03-03 12:40",
    "the clocks go forward": "2026-03-28 22:30",
    "a night and a morning": "2026-04-14 21:00",
    "Easter Monday": "2026-04-06 10:00",
    "a holiday on a Tuesday": "2026-06-02 11:00",
    "a Friday evening": "2026-07-10 17:20",
    "the middle of August": "2026-08-14 17:45",
    "the clocks go back": "2026-10-24 23:30",
    "Christmas Eve": "2026-12-24 12:30",
    "New Year's Eve": "2026-12-31 12:50",
}
CHANNELS = ("whatsapp", "telegram", "messenger", "instagram")
FILES = ("image", "voice", "document")
"""Of those that the year's customers send, what every one of these platforms can carry."""
CUSTOMERS = 4
WATCHED = 2 * HOUR
"""How long nobody does anything after the last line, before all is closed."""

decided: Counter[str] = Counter()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A desk of its own: its clock goes to and fro over a year."""
    with running(tmp_path_factory.mktemp("year")) as stage:
        yield stage


def scenario_of(window: str) -> tuple[Scenario, Instant]:
    dice = random.Random(window)
    start = instant(WINDOWS[window])
    lines: list[dict[str, Any]] = []
    for number in range(CUSTOMERS):
        channel = dice.choice(CHANNELS)
        customer = Customer(channel, f"{window} {number}", channel in PUBLIC and dice.random() < 0.6, False)
        talk = [one for one in conversation(dice, customer, start + number * 4 * MINUTE) if playable(one)]
        talk = list(dropwhile(lambda one: "agent" in one, talk))
        kept = [with_language(one) for one in talk[:6] if instant_of(one) < start + 40 * HOUR]
        if not kept:
            continue
        lines += kept
        end = max(instant_of(one) for one in lines) + WATCHED
        lines.append(acts(dice, customer, end + number * SECOND, end=True))
    return of_lines(sorted(lines, key=lambda line: str(line["at"]))), end


def playable(line: dict[str, Any]) -> bool:
    """What all the platforms can do, and the local world with them; comments are words."""
    if "media" in line:
        return line["media"] in FILES and not line.get("public")
    return "agent" in line or "text" in line


def with_language(line: dict[str, Any]) -> dict[str, Any]:
    """Telegram tells the phone's language."""
    return line | {"language": "it"} if line.get("channel") == "telegram" and "agent" not in line else line


def instant_of(line: dict[str, Any]) -> Instant:
    from datetime import datetime

    return round(datetime.fromisoformat(line["at"]).timestamp() * 1000)


@pytest.mark.parametrize("window", WINDOWS)
def test_the_simulator_and_the_lambdas_decide_alike(own: Stage, window: str) -> None:
    scenario, end = scenario_of(window)
    own.use()
    engine = Engine(own, scenario)
    desk, texts = desk_seam.current_desk(), desk_seam.current_texts()
    faq = desk_seam.current_faq()
    world = World(
        desk,
        Outside(desk, faq, scenario.company),
        Sending(desk, Wording(desk, texts), faq),
        ids=engine.ids,
    )
    entries: list[Entry] = list(world.run(scenario, end + MINUTE))
    engine.play(entries)
    simulated, real = by_simulator(world, entries), engine.decided()
    assert simulated.keys() == real.keys()
    for name, ours in simulated.items():
        assert_alike(name, ours, real[name])
        view = look(engine.ids[name])  # what `sportello explain` plays again
        assert len(lines_of(view.thread, view.messages)) == len(real[name].heard) + len(
            real[name].acted
        ) - len(engine.refused.get(name, ()))
    decided.update(str(told.kind) for entry in entries for told in entry.told)


def test_the_sample_was_worth_it() -> None:
    """Replies and calls and silences, in private and in public, or nothing would have been compared."""
    least = {"reply": 30, "escalate": 20, "none": 10, "private": 5, "hide": 1}
    assert {kind: count for kind, count in least.items() if decided[kind] < count} == {}, decided
