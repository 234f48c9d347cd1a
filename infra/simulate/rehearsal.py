"""A desk's folder and a scenario, brought together."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from infra.bundle import load
from infra.simulate.consult import Outside
from infra.simulate.entry import Entry
from infra.simulate.lines import Scenario
from infra.simulate.sending import Sending
from infra.simulate.world import NO_IDS, World
from sportello.domain.desk import Desk
from sportello.domain.faq import Faq
from sportello.domain.model import Instant
from sportello.services.wording import Texts, Wording


class Stage(NamedTuple):
    """One desk, ready to be tried."""

    desk: Desk
    texts: Texts
    faq: Faq

    def world(self, scenario: Scenario, ids: Mapping[str, str] = NO_IDS) -> World:
        outside = Outside(self.desk, self.faq, scenario.company)
        sending = Sending(self.desk, Wording(self.desk, self.texts), self.faq)
        return World(self.desk, outside, sending, ids=ids)

    def play(
        self, scenario: Scenario, until: Instant | None = None, ids: Mapping[str, str] = NO_IDS
    ) -> list[Entry]:
        """Everything that happens, in time order."""
        return list(self.world(scenario, ids).run(scenario, until))


def stage(folder: Path, at: Instant | None = None) -> Stage:
    """The desk of a folder: ``templates/``, or one that holds it. Raises BundleError."""
    if not (folder / "desk.yaml").is_file() and (folder / "templates" / "desk.yaml").is_file():
        folder = folder / "templates"
    bundle = load(folder, at)
    return Stage(bundle.desk, bundle.texts, getattr(bundle, "faq", Faq()))
