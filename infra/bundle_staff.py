"""People in ``desk.yaml``: teams, shifts and leave, where conversations go, deadlines and questions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean
from infra.pattern_mistakes import EXAMPLE as PATTERN
from infra.pattern_mistakes import pattern_mistake
from infra.template_files import Files
from infra.yaml_with_lines import Document, Line, Path
from sportello.domain.desk import Desk, Question, Served
from sportello.domain.hours_problems import problems, rule_problems
from sportello.domain.model import MINUTE, Instant
from sportello.domain.phrases import Phrases

MOST_QUESTIONS = 6
LONGEST_QUESTION = 300
"""Characters; a customer reads it on a phone."""

_PEOPLE = "people: {anna: {teams: [care], shift: Mo-Fr 09:00-14:00}}"
_LEAVE = "leave: [2027 Aug 9-20, Dec 24]"
_RULE = "{track: speed, first: 15 min}"
_TEXT = """text: {it: "Qual è il numero d'ordine?", en: "What is your order number?"}"""
EXAMPLES = {
    "skills": "skills: [billing, returns] (topics of phrases/)",
    "teams.languages": "languages: [it, en]",
    "teams.channels": "channels: [whatsapp, instagram]",
    "people": f"{_PEOPLE} (names in small letters)",
    "people.teams": "teams: [care]",
    "people.languages": "languages: [it, en]",
    "people.channels": "channels: [whatsapp, instagram]",
    "shift": "shift: Mo-Fr 09:00-14:00",
    "leave": _LEAVE,
    "load": "load: 8 (conversations), or 0 for any number",
    "people.tell": "tell: [{email: anna@example.com}]",
    "fallback": "fallback: care",
    "answers": "answers: {first: 60 min, full: 24 h}",
    "rules": f"rules: [{_RULE}]",
    "first": "first: 60 min",
    "full": "full: 24 h",
    "warn_full": "warn_full: 2 h",
    "answers.channel": "channel: whatsapp",
    "answers.tier": "tier: gold",
    "track": "track: speed, or track: care",
    "tracks": "tracks: {delivery: speed, complaint: care}",
    "questions": f"questions: {{order: {{{_TEXT}}}}}",
    "questions.topics": "topics: [delivery]",
    "pattern": PATTERN,
    "text": _TEXT,
    "questions_most": "questions_most: 2 (at most), or 0 for none",
    "on_it_after": "on_it_after: 10 min",
    "escalate_after": "escalate_after: 30 min",
    "person_quiet": "person_quiet: 30 min",
    "consult_within": "consult_within: 60 s",
    "reply_expires": "reply_expires: 6 h",
    "within": "within: 15 min",
    "taken_for": "taken_for: 4 h",
    "incident_within": "incident_within: 10 min",
    "incident_update": "incident_update: 30 min",
    "keep": "keep: 15 min",
}
_DURATIONS = {
    "policy": ("on_it_after", "escalate_after", "person_quiet", "consult_within", "reply_expires"),
    "answers": ("first", "full", "warn_full"),
    "escalation": ("within", "taken_for", "incident_within", "incident_update"),
    "hook": ("keep",),
}


def bare_numbers(document: Document) -> Iterator[Line]:
    """Durations without a unit: they would be milliseconds."""
    for key, names in _DURATIONS.items():
        for path, number in _numbers((key,), document.data.get(key)):
            if path[-1] in names and (isinstance(number, bool) or number > 0):
                example = EXAMPLES[str(path[-1])]
                yield Line(document.line(path), f"{path[-1]}: {number} of what? Write e.g. {example}")


def _numbers(path: Path, value: Any) -> Iterator[tuple[Path, int]]:
    if isinstance(value, int):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for key, item in items:
        yield from _numbers((*path, key), item)


def of_staff(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    """Every mistake but those for which the phrases must be known (``topics``)."""
    yield from _of_names(document, desk)
    yield from _of_people(document, desk, at)
    yield from _of_accounts(document, desk)
    if not any(bare_numbers(document)):  # they would be compared as milliseconds
        yield from _of_answers(document, desk)
    yield from _of_questions(document, desk)


# --- names that stand for something -----------------------------------------------------------


def _of_names(document: Document, desk: Desk) -> Iterator[Line]:
    """Teams, languages and channels that are named and do not exist."""
    channels = channel_names()
    for path, team in ((("teams", name), team) for name, team in desk.teams.items()):
        yield from _unknown(
            document, (*path, "languages"), team.languages, "language of this desk", desk.languages
        )
        yield from _unknown(document, (*path, "channels"), team.channels, "channel", channels)
    for path, person in ((("people", name), person) for name, person in desk.people.items()):
        yield from _unknown(document, (*path, "teams"), person.teams, "team of this desk", desk.teams)
        yield from _unknown(
            document, (*path, "languages"), person.languages, "language of this desk", desk.languages
        )
        yield from _unknown(document, (*path, "channels"), person.channels, "channel", channels)
    if desk.fallback:
        yield from _unknown(document, ("fallback",), [desk.fallback], "team of this desk", desk.teams)
    for index, rule in enumerate(desk.answers.rules):
        if rule.channel:
            yield from _unknown(
                document, ("answers", "rules", index, "channel"), [rule.channel], "channel", channels
            )


def _unknown(
    document: Document, path: Path, names: Sequence[str], what: str, known: Collection[str]
) -> Iterator[Line]:
    for index, name in enumerate(names):
        if name not in known:
            told = f"{did_you_mean(name, known)}; known: {', '.join(known) or 'none yet'}"
            yield Line(document.line((*path, index)), f"{name!r} is no {what}{told}")


def topics(files: Files, desk: Desk | None, phrases: Iterable[Phrases | None]) -> None:
    """Skills, tracks and questions of topics that no phrases tell; asked where the phrases are in order."""
    read = list(phrases)
    document = files.yaml("desk.yaml", "name: Sportello")
    if desk is not None and document is not None and all(read):
        known = list(dict.fromkeys(topic for found in read if found for topic in found.topics))
        files.wrong("desk.yaml", _of_topics(document, desk, known))


def _of_topics(document: Document, desk: Desk, topics: Sequence[str]) -> Iterator[Line]:
    named: list[tuple[Path, Sequence[str]]] = []
    named += [(("teams", name, "skills"), team.skills) for name, team in desk.teams.items()]
    named += [(("people", name, "skills"), person.skills) for name, person in desk.people.items()]
    named += [(("questions", name, "topics"), asked.topics) for name, asked in desk.questions.items()]
    for path, names in named:
        yield from _unknown(document, path, names, "topic of phrases/", topics)
    for topic in desk.tracks:
        yield from _unknown(document, ("tracks", topic), [topic], "topic of phrases/", topics)


# --- people -----------------------------------------------------------------------------------


def _of_people(document: Document, desk: Desk, at: Instant) -> Iterator[Line]:
    country = "IT" if problems("24/7", "UTC", desk.holidays, at) else desk.holidays
    for name, person in desk.people.items():
        for text in problems(person.shift, "UTC", country, at) if person.shift else ():
            yield Line(document.line(("people", name, "shift")), text)
        for index, days in enumerate(person.leave):
            if not days.strip() or set(days) & set(';:|"') or rule_problems(f"{days} off"):
                text = f"{days!r} is no date; write e.g. {_LEAVE}"
                yield Line(document.line(("people", name, "leave", index)), text)
    for team in desk.teams if desk.people else ():
        if not any(team in person.teams for person in desk.people.values()):
            text = f"nobody belongs to team {team!r}; write e.g. people: {{anna: {{teams: [{team}]}}}}"
            yield Line(document.line(("teams", team)), text)


def _of_accounts(document: Document, desk: Desk) -> Iterator[Line]:
    for channel, served in desk.channels.items():
        if served.role == "official" or served.care_link:
            text = "role and care_link belong to accounts; write e.g. " + _official(
                "{channel: messenger, account: …"
            )
            yield Line(document.line(("channels", channel)), text)
    for index, served in enumerate(desk.accounts):
        if wrong := _care_link_mistake(served):
            line = document.line(("accounts", index, "care_link" if served.care_link else "role"))
            yield Line(line, f"{wrong}; write e.g. care_link: https://m.me/care?ref={{ref}}")


def _official(account: str) -> str:
    return f"{account}, role: official, care_link: https://m.me/care?ref={{ref}}}}"


def _care_link_mistake(served: Served) -> str:
    if served.role == "care":
        return "an account of the care team shows no way to another (care_link)" if served.care_link else ""
    if not served.care_link:
        return "an official account must show the way to the care account"
    if not served.care_link.startswith("https://"):
        return f"{served.care_link!r} is no link"
    rest = served.care_link.replace("{ref}", "")
    if rest == served.care_link:
        return f"{served.care_link!r} lacks {{ref}}, by which the customer is recognised"
    return f"{served.care_link!r} holds another placeholder than {{ref}}" if set(rest) & set("{}") else ""


# --- deadlines --------------------------------------------------------------------------------


def _of_answers(document: Document, desk: Desk) -> Iterator[Line]:
    answers, after = desk.answers, desk.policy.escalate_after
    if 0 < answers.full < answers.first:
        text = "the first answer would be due after the full one; write e.g. first: 60 min, full: 24 h"
        yield Line(document.line(("answers",)), text)
    if 0 < answers.full <= answers.warn_full:
        text = f"the warning would come before the question (full: {_told(answers.full)}); write e.g. "
        yield Line(document.line(("answers", "warn_full")), text + f"warn_full: {_told(answers.full // 12)}")
    if after and 0 < answers.first <= after:
        text = f"people would be called after the first answer is due ({_told(answers.first)}); write e.g. "
        yield Line(
            document.line(("policy", "escalate_after")), text + f"escalate_after: {_told(answers.first // 2)}"
        )
    for index, rule in enumerate(answers.rules):
        line = document.line(("answers", "rules", index))
        first = answers.first if rule.first is None else rule.first
        full = answers.full if rule.full is None else rule.full
        if rule.first is None and rule.full is None:
            yield Line(line, f"this rule says nothing; write e.g. {_RULE}")
        elif not (rule.channel or rule.tier or rule.track):
            yield Line(
                line, f"this rule fits every conversation; write e.g. {_RULE}, or answers: {{first: 60 min}}"
            )
        elif 0 < full < first:
            text = f"the first answer ({_told(first)}) would be due after the full one ({_told(full)})"
            yield Line(
                line, f"{text}; write e.g. {{tier: gold, first: {_told(full // 4)}, full: {_told(full)}}}"
            )


def _told(amount: Instant) -> str:
    minutes = amount // MINUTE
    if not minutes:
        return f"{amount // 1000} s"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


# --- questions --------------------------------------------------------------------------------


def _of_questions(document: Document, desk: Desk) -> Iterator[Line]:
    if len(desk.questions) > MOST_QUESTIONS:
        text = (
            f"{len(desk.questions)} questions, at most {MOST_QUESTIONS}; keep e.g. those that are needed most"
        )
        yield Line(document.line(("questions", list(desk.questions)[MOST_QUESTIONS])), text)
    for name, question in desk.questions.items():
        if question.pattern and (wrong := pattern_mistake(question.pattern)):
            yield Line(document.line(("questions", name, "pattern")), wrong)
        yield from _of_texts(document, ("questions", name, "text"), question, desk.languages)
    if desk.hook.order_pattern and (wrong := pattern_mistake(desk.hook.order_pattern)):
        yield Line(document.line(("hook", "order_pattern")), wrong)


def _of_texts(document: Document, path: Path, question: Question, languages: Sequence[str]) -> Iterator[Line]:
    for language in languages:
        if not question.text.get(language, "").strip():
            yield Line(document.line(path), f"the question lacks {language!r}; write e.g. {EXAMPLES['text']}")
    yield from _too_long(document, path, question.text)
    for language in question.text:
        if language not in languages:
            told = f"{did_you_mean(language, languages)}; known: {', '.join(languages)}"
            yield Line(document.line((*path, language)), f"{language!r} is no language of this desk{told}")


def _too_long(document: Document, path: Path, texts: Mapping[str, str]) -> Iterator[Line]:
    for language, text in texts.items():
        if len(text) > LONGEST_QUESTION:
            wrong = f"{len(text)} characters, at most {LONGEST_QUESTION}; write e.g. one sentence"
            yield Line(document.line((*path, language)), wrong)
