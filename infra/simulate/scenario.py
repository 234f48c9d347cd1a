"""A scenario: dated lines of what customers write and people of the desk do, in YAML.

    - {at: 2026-11-23T20:15+01:00, channel: whatsapp, from: Customer One, text: "Siete aperti?"}
    - {at: 2026-11-24T09:05+01:00, agent: anna, to: Customer One, reply: Eccomi!}

docs/simulate.md explains every key. Lines may stand in any order; every mistake names its file and
line and shows the right form.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.model_mistakes import did_you_mean, parse
from infra.simulate.company import Company
from infra.simulate.lines import MEDIA_KINDS, TIME, Acts, Scenario, Step, Writes, is_meant
from infra.template_files import BundleError, Mistake
from infra.yaml_with_lines import Document, Line, read_yaml
from sportello.channels.found import channel_names
from sportello.domain.model import Model

_WHAT = ("text", "media", "reaction", "button", "kind")
_ACTS = ("reply", "resolve", "claim", "wanted", "language")
_BARE = {"resolve": True, "claim": True, "wanted": True, "reaction": ""}
"""What a key alone means."""
_EXAMPLES = {
    "at": TIME,
    "channel": "channel: whatsapp",
    "account": "account: main",
    "from": "from: Customer One",
    "text": 'text: "Siete aperti?"',
    "media": "media: image",
    "media.kind": f"media: image ({', '.join(MEDIA_KINDS)})",
    "reaction": "reaction: 👍",
    "public": "public: true",
    "button": "button: yes",
    "kind": "kind: call",
    "addressed": "addressed: false",
    "language": "language: it",
    "agent": "agent: anna",
    "to": "to: Customer One",
    "reply": "reply: Eccomi!",
    "promise": "promise: 2026-11-24T12:00+01:00",
    "resolve": "resolve: true, or resolve: spam (a reason)",
    "claim": "claim: true",
    "wanted": "wanted: true",
    "company": "company: {customers: [{id: Customer One, tier: gold}]}",
    "customers": "customers: [{id: Customer One, tier: gold}]",
    "orders": "orders: [{number: 12345678, status: spedito, to: +393330000001}]",
}
EXAMPLE = f'- {{{TIME}, channel: whatsapp, from: Customer One, text: "Siete aperti?"}}'


def read(file: str | Path) -> Scenario:
    """The scenario in a file. Raises BundleError with every mistake."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise BundleError(
            [Mistake(str(file), 1, f"cannot be read ({error.strerror}); name e.g. docs/simulate.yaml")]
        ) from None
    except UnicodeDecodeError:
        raise BundleError(
            [Mistake(str(file), 1, "is not in UTF-8; save it so, e.g. in your editor")]
        ) from None
    scenario, lines = parse_scenario(text)
    if lines:
        raise BundleError([Mistake(str(file), line.number, line.text) for line in lines])
    return scenario


def of_lines(lines: Sequence[Mapping[str, Any]]) -> Scenario:
    """A scenario that was not written by hand (``stored.lines_of``)."""
    steps = [
        Step(number, (Acts if "agent" in line else Writes).model_validate(line))
        for number, line in enumerate(lines, 1)
    ]
    return Scenario(tuple(sorted(steps, key=lambda step: step.at)), Company())


def parse_scenario(text: str) -> tuple[Scenario, list[Line]]:
    """What the text says, and what is wrong with it."""
    document = read_yaml(text)
    wrong = [_of_form(line) for line in document.wrong]
    if not isinstance(document.data, list):
        if not wrong:
            wrong.append(
                Line(1, f"must be a list, one line for each thing that happens; write e.g. {EXAMPLE}")
            )
        return Scenario((), Company()), wrong
    steps: list[Step] = []
    company = Company()
    for index in range(len(document.data)):
        entry = _entry(document, index)
        if not isinstance(entry.data, dict):
            wrong.append(Line(entry.line(()), f"must be lines of 'key: value'; write e.g. {EXAMPLE}"))
        elif "company" in entry.data and "at" not in entry.data:
            found, lines = parse(entry, _WithCompany, _EXAMPLES)
            company = found.company if found else company
            wrong += lines
        else:
            step, lines = _step(entry)
            steps += [step] if step else []
            wrong += lines
    steps.sort(key=lambda step: step.at)
    if not wrong:
        wrong += _of_strangers(steps)
    return Scenario(tuple(steps), company), wrong


def _of_form(line: Line) -> Line:
    """Between { and } a text with any of , ? [ ] { } needs quotes: what YAML says of it helps nobody."""
    if "comma or closing bracket" not in line.text:
        return line
    return Line(line.number, f"a comma or bracket is missing, or a text needs quotes; write e.g. {EXAMPLE}")


class _WithCompany(Model):
    company: Company


def _entry(document: Document, index: int) -> Document:
    """One entry of the list as a document of its own."""
    lines = {path[1:]: number for path, number in document.lines.items() if path[:1] == (index,)}
    data = document.data[index]
    if isinstance(data, dict):
        data = {key: _BARE.get(key) if value is None else value for key, value in data.items()}
    return Document(data, lines, [])


def _step(entry: Document) -> tuple[Step | None, list[Line]]:
    given: Mapping[str, Any] = entry.data
    does: Writes | Acts | None
    if "agent" in given:
        does, lines = parse(entry, Acts, _EXAMPLES)
        lines += _of_what(entry, _ACTS, agent=True)
    else:
        does, lines = parse(entry, Writes, _EXAMPLES)
        lines += _of_what(entry, _WHAT, agent=False)
    lines += _of_channel(entry)
    if does is None or lines:
        return None, lines
    return Step(entry.line(()), does), []


def _of_what(entry: Document, choices: tuple[str, ...], *, agent: bool) -> Iterator[Line]:
    """Exactly one thing happens; files and buttons may bring words with them."""
    given = [name for name in choices if name in entry.data]
    if agent and "promise" in entry.data and "reply" not in entry.data:
        yield Line(
            entry.line(("promise",)), "a promise goes with a reply; write e.g. reply: Le rispondo domani"
        )
    if not given:
        who = "the agent does nothing" if agent else "nothing happens"
        yield Line(entry.line(()), f"{who}; write one of: {'; '.join(_EXAMPLES[name] for name in choices)}")
    with_words = (
        not agent and len(given) == 2 and given[0] == "text" and given[1] in ("media", "button", "kind")
    )
    if len(given) > 1 and not with_words:
        text = f"{' and '.join(given)} at once; write e.g. one entry for each, {TIME} in both"
        yield Line(entry.line((given[1],)), text)


def _of_channel(entry: Document) -> Iterator[Line]:
    channel, known = entry.data.get("channel"), channel_names()
    if isinstance(channel, str) and channel not in known:
        text = f"{channel!r} is no channel{did_you_mean(channel, known)}; known: {', '.join(known)}"
        yield Line(entry.line(("channel",)), text)


def _of_strangers(steps: Iterable[Step]) -> Iterator[Line]:
    """People can only answer somebody who has written before."""
    seen: list[Writes] = []
    for line, does in steps:
        if isinstance(does, Writes):
            seen.append(does)
        elif not any(is_meant(does, one) for one in seen):
            names = sorted({one.sender for one in seen}) or ["Customer One"]
            close = did_you_mean(does.to, names)
            where = f" on {does.channel}" if does.channel else ""
            text = f"nobody called {does.to!r} wrote before{where}{close}; write e.g. to: {names[0]}"
            yield Line(line, text)
