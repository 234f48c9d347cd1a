"""The escalation in ``desk.yaml``: levels that reach somebody, and a rota of people who can be told."""

from collections.abc import Iterator

from infra.model_mistakes import did_you_mean
from infra.yaml_with_lines import Document, Line
from sportello.domain.desk import Desk
from sportello.domain.hours_problems import problems
from sportello.domain.model import DAY, MINUTE, Instant

_LEVELS = "levels: [{tell: [team], within: 15 min}, {tell: [on_call]}]"
_ON_CALL = "on_call: [{who: anna, when: Mo-Fr 18:00-09:00}]"
_TELL = "people: {anna: {teams: [care], tell: [{email: anna@example.com}]}}"
EXAMPLES = {
    "escalation": f"escalation: {{{_LEVELS}}}",
    "levels": _LEVELS,
    "escalation.tell": "tell: [team], tell: [on_call] or tell: [{email: lead@example.com}]",
    "escalation.name": "tell: [team] or tell: [on_call]",
    "escalation.target": "tell: [{slack: care}] or tell: [{email: lead@example.com}]",
    "escalation.slack": "slack: care (the name of the connection, not its address)",
    "escalation.email": "email: lead@example.com",
    "on_call": _ON_CALL,
    "who": "who: anna (a name under people)",
    "when": "when: Mo-Fr 18:00-09:00",
    "incident_calls": "incident_calls: 20 (conversations, at least 2)",
}
WITHIN_MOST = 7 * DAY


def of_escalation(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    """What would page nobody, or somebody who cannot be told."""
    yield from _of_levels(document, desk)
    yield from _of_rota(document, desk, at)
    yield from _of_incidents(document, desk)


def _of_levels(document: Document, desk: Desk) -> Iterator[Line]:
    levels = desk.escalation.levels
    for index, level in enumerate(levels):
        path = ("escalation", "levels", index)
        if level.tell == ("on_call",) and not desk.escalation.on_call:
            last = " and is the last: the escalation ends nowhere" if index == len(levels) - 1 else ""
            text = (
                f"level {index + 1} tells whoever is on call, and nobody ever is{last}; write e.g. {_ON_CALL}"
            )
            yield Line(document.line((*path, "tell")), text)
        if level.within > WITHIN_MOST:
            text = "nobody is paged for more than a week; write e.g. within: 15 min"
            yield Line(document.line((*path, "within")), text)
    if 0 < desk.escalation.taken_for < MINUTE:
        text = "whoever takes it has no time to answer; write e.g. taken_for: 4 h, or 0 for no end"
        yield Line(document.line(("escalation", "taken_for")), text)


def _of_rota(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    country = "IT" if problems("24/7", "UTC", desk.holidays, at) else desk.holidays
    for index, shift in enumerate(desk.escalation.on_call):
        path = ("escalation", "on_call", index)
        person = desk.people.get(shift.who)
        if person is None:
            known = f"{did_you_mean(shift.who, desk.people)}; known: {', '.join(desk.people) or 'none yet'}"
            text = f"{shift.who!r} is nobody of this desk{known}; write e.g. {_TELL}"
            yield Line(document.line((*path, "who")), text)
        elif not person.tell:
            text = f"{shift.who!r} is on call and cannot be told anywhere; write e.g. {_TELL}"
            yield Line(document.line((*path, "who")), text)
        for problem in problems(shift.when, "UTC", country, at):
            yield Line(document.line((*path, "when")), problem)
    if desk.escalation.on_call and not any("on_call" in level.tell for level in desk.escalation.levels):
        text = f"no level tells whoever is on call; write e.g. {_LEVELS}"
        yield Line(document.line(("escalation", "on_call")), text)


def _of_incidents(document: Document, desk: Desk) -> Iterator[Line]:
    escalation = desk.escalation
    for key, amount in (
        ("incident_within", escalation.incident_within),
        ("incident_update", escalation.incident_update),
    ):
        if amount < MINUTE:
            text = f"{key} is too short to tell anything; write e.g. {key}: 10 min"
            yield Line(document.line(("escalation", key)), text)
    if escalation.incident_calls > 500:
        text = (
            "so many calls are never one incident before everybody was paged; write e.g. incident_calls: 20"
        )
        yield Line(document.line(("escalation", "incident_calls")), text)
