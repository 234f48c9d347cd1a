"""The frequent questions: ``templates/faq/<locale>.yaml``, and who answers (``faq`` in ``desk.yaml``)."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from infra import faq_wordings
from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean, parse
from infra.template_files import Files
from infra.text_mistakes import template_mistakes
from infra.yaml_with_lines import Document, Line, Path
from sportello.domain.desk import Desk
from sportello.domain.faq import ANSWER_VALUES, Faq, FaqEntry, FaqLocale
from sportello.domain.model import Instant, Model, to_datetime
from sportello.domain.phrases import plain
from sportello.services.faq_reading import Lexicon
from sportello.services.faq_score import Scorer

KEY = "faq"
"""In ``desk.yaml``; no part of the desk's model, so that webhooks need not read it."""
FOLDER = "faq"
_SETTINGS = "faq: {answerer: bedrock, model: amazon.nova-lite-v1:0}"
_SETTINGS_EXAMPLES = {
    "faq": _SETTINGS,
    "answerer": "answerer: lexical, or answerer: bedrock",
    "model": "model: amazon.nova-lite-v1:0",
    "region": "region: eu-central-1",
}
_ENTRY = "- {id: hours, questions: [when are you open], answer: We are open {{ hours }}.}"
_EXAMPLES = {
    "entries": f"entries: [{_ENTRY[2:]}]",
    "entries.id": "id: delivery_time (small letters, digits, _ or -)",
    "entries.questions": "questions: [when are you open, what are your hours]",
    "entries.answer": "answer: Our hours are {{ hours }}.",
    "entries.buttons": "buttons: {How to return: returns} (at most three, of 20 letters at most)",
    "entries.valid_from": "valid_from: 2026-12-01",
    "entries.valid_to": "valid_to: 2027-01-06",
    "entries.channels": "channels: [whatsapp, email]",
    "entries.accounts": "accounts: ['390600000000']",
    "entries.topic": "topic: returns",
    "entries.private": "private: true",
    "same_words": "same_words: [[parcel, package], [cost, price, how much]]",
    "fillers": "fillers: [please, hello]",
    "asks": "asks: [how, when, can I]",
    "hand_on": "hand_on: [never arrived, broken]",
}


class _Settings(Model):
    answerer: str = Field(default="lexical", pattern=r"^(lexical|bedrock)$")
    model: str = Field(default="", pattern=r"^[A-Za-z0-9.:_-]{0,200}$")
    region: str = Field(default="", pattern=r"^([a-z]{2}(-[a-z]+)+-\d)?$")

    @model_validator(mode="after")
    def _named(self) -> "_Settings":
        if self.answerer == "bedrock" and not self.model:
            raise ValueError(f"bedrock needs a model; write e.g. {_SETTINGS}")
        return self


class _DeskFile(Model):
    """The part of ``desk.yaml`` that is read here."""

    faq: _Settings = _Settings()


def without_faq(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``desk.yaml`` is the desk's own."""
    return {key: value for key, value in data.items() if key != KEY}


def faq(files: Files, desk: Desk | None, at: Instant) -> Faq:
    """The questions of the desk's languages, as far as they are right; none without the folder."""
    settings = _settings(files)
    if desk is None or not (files.folder / FOLDER).is_dir():
        return Faq(**settings.model_dump())
    try:
        day = to_datetime(at).astimezone(ZoneInfo(desk.time_zone)).date()
    except (KeyError, ValueError, OSError):  # no such zone, which is said of desk.yaml
        return Faq(**settings.model_dump())
    read = {language: _locale(files, language, day) for language in desk.languages}
    locales = {language: found[1] for language, found in read.items() if found and found[1]}
    _same_everywhere(files, {language: found for language, found in read.items() if found})
    return Faq(locales=locales, **settings.model_dump())


def words(faq: Faq) -> frozenset[str]:
    """What webhooks know of the questions: see ``domain.faq_words``.

    A filler of one language is none of another's words: a message is looked at before its language is known.
    """
    starts = set[str]()
    for language, locale in faq.locales.items():
        starts |= Scorer(locale.entries, Lexicon(language, locale)).starts()
    common = {
        word for locale in faq.locales.values() for text in _common(locale) for word in plain(text).split()
    }
    return frozenset(start for start in starts if start not in common and len(start) >= _SHORTEST)


_SHORTEST = 2


def _common(locale: FaqLocale) -> Iterator[str]:
    yield from locale.fillers
    yield from (text for text in locale.asks if " " not in text)


def _settings(files: Files) -> _Settings:
    document = files.yaml("desk.yaml", "name: Sportello")
    given = document.data.get(KEY) if document else None
    if document is None or given is None:
        return _Settings()
    read, lines = parse(document, _DeskFile, _SETTINGS_EXAMPLES, {KEY: given})
    files.wrong("desk.yaml", lines)
    return read.faq if read else _Settings()


_Read = tuple[Document, FaqLocale | None]


def _locale(files: Files, language: str, day: date) -> _Read | None:
    name = f"{FOLDER}/{language}.yaml"
    document = files.yaml(name, _EXAMPLES["entries"])
    if document is None:
        return None
    locale, lines = parse(document, FaqLocale, _EXAMPLES)
    if locale is not None:
        for index, entry in enumerate(locale.entries):
            lines += _of_entry(document, index, entry, locale, day)
        lines += _of_ids(document, locale)
        lines += faq_wordings.mistakes(document, language, locale)
    elif not lines:
        lines.append(Line(1, f"there are no questions; write e.g. {_EXAMPLES['entries']}"))
    files.wrong(name, lines)
    return document, locale


# --- one entry --------------------------------------------------------------------------------

_SAMPLES = [
    {"desk": "Sportello", "formal": formal, "hours": "Mo–Fr 9:00–13:00, 14:00–18:00", "next_opening": opening}
    for formal in (False, True)
    for opening in ("tomorrow at 9:00", "")
]


def _of_entry(
    document: Document, index: int, entry: FaqEntry, locale: FaqLocale, day: date
) -> Iterator[Line]:
    at: Path = ("entries", index)
    yield from _of_days(document, at, entry, day)
    yield from _of_buttons(document, at, entry, locale)
    yield from _of_answer(document, (*at, "answer"), entry.answer)
    known = channel_names()
    for number, channel in enumerate(entry.channels):
        if channel not in known:
            text = f"{channel!r} is no channel{did_you_mean(channel, known)}; known: {', '.join(known)}"
            yield Line(document.line((*at, "channels", number)), text)


def _of_days(document: Document, at: Path, entry: FaqEntry, day: date) -> Iterator[Line]:
    first, last = entry.valid_from, entry.valid_to
    if first and last and last < first:
        text = f"{entry.id!r} ends before it begins and is never answered; write e.g. valid_to: {first}"
        yield Line(document.line((*at, "valid_to")), text)
    elif last and last < day:
        remedy = f"remove it, or write e.g. valid_to: {day.replace(month=12, day=31)}"
        yield Line(document.line((*at, "valid_to")), f"{entry.id!r} has expired; {remedy}")


def _of_buttons(document: Document, at: Path, entry: FaqEntry, locale: FaqLocale) -> Iterator[Line]:
    others = [other.id for other in locale.entries if other.id != entry.id]
    for label, target in entry.buttons.items():
        line = document.line((*at, "buttons", label))
        if target == entry.id:
            yield Line(line, f"the button leads back to {entry.id!r} itself; write e.g. {label}: {others[0]}")
        elif target not in others:
            text = f"{target!r} is no entry of this file{did_you_mean(target, others)}"
            yield Line(line, f"{text}; known: {', '.join(others)}")


def _of_answer(document: Document, at: Path, answer: str) -> Iterator[Line]:
    if not answer.strip():
        yield Line(document.line(at), f"the answer is empty; write e.g. {_EXAMPLES['entries.answer']}")
        return
    # Of a text over several lines the first stands below its key.
    begin = document.line(at) + (1 if "\n" in answer else 0)
    for found in template_mistakes(answer, ANSWER_VALUES, _SAMPLES):
        yield Line(begin + found.number - 1, found.text)


def _of_ids(document: Document, locale: FaqLocale) -> Iterator[Line]:
    first: dict[str, int] = {}
    for index, entry in enumerate(locale.entries):
        line = document.line(("entries", index, "id"))
        if entry.id in first:
            text = f"{entry.id!r} stands here twice (first on line {first[entry.id]}); keep one"
            yield Line(line, text)
        first.setdefault(entry.id, line)


# --- all languages ----------------------------------------------------------------------------


def _same_everywhere(files: Files, read: Mapping[str, _Read]) -> None:
    """Every entry in every language, and private in all or none."""
    known = {
        language: {entry.id: (index, entry) for index, entry in enumerate(locale.entries)}
        for language, (_, locale) in read.items()
        if locale is not None
    }
    for language, entries in known.items():
        document = read[language][0]
        lines = list[Line]()
        for other, theirs in known.items():
            for entry_id, (index, entry) in theirs.items():
                where = f"{FOLDER}/{other}.yaml:{read[other][0].line(('entries', index))}"
                if entry_id not in entries:
                    text = f"{entry_id!r} of {where} is missing here; write e.g. - {{id: {entry_id}, …}}"
                    lines.append(Line(document.line(("entries",)), text))
                elif entry.private and not entries[entry_id][1].private:
                    text = f"{entry_id!r} is private in {where}; write e.g. private: true here too"
                    lines.append(Line(document.line(("entries", entries[entry_id][0])), text))
        files.wrong(f"{FOLDER}/{language}.yaml", lines)
