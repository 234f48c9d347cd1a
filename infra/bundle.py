"""``templates/`` as a care lead edits it becomes what functions load: desk, texts and site ``.json``.

Everything is checked here, so that nothing can be wrong at run time: every mistake names its file
and line, says what is wrong and shows the right form. Used by ``sportello check``, by the build
(``python -m infra.bundle TEMPLATES OUT``) and at the start of the local desk.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel

from infra.model_mistakes import did_you_mean, parse
from infra.text_mistakes import pattern_mistake, template_mistakes
from infra.yaml_with_lines import Document, Line, read_yaml
from sportello.domain.decision import Text
from sportello.domain.desk import ClosedOrSpecial, Desk
from sportello.domain.hours_problems import problems, rule_problems
from sportello.domain.model import Instant, to_instant
from sportello.domain.phrases import Phrases, plain
from sportello.domain.reasons import CALLS
from sportello.domain.site import Site, SiteWords
from sportello.services import wording
from sportello.services.wording import CalendarWords, NotificationTexts, Texts


class Mistake(NamedTuple):
    file: str
    line: int
    text: str
    """What is wrong, and an example of the right form."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class BundleError(ValueError):
    """The templates cannot be used; ``mistakes`` are all that were found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


class Bundle(NamedTuple):
    desk: Desk
    texts: Texts


def load(folder: str | Path, at: Instant | None = None) -> Bundle:
    """The desk and its texts.

    Args:
        folder: ``templates/``.
        at: from when on the desk must open within 370 days; by default now.

    Raises:
        BundleError: with every mistake.
    """
    files = _Files(Path(folder))
    desk = _desk(files, to_instant(datetime.now(UTC)) if at is None else at)
    languages = desk.languages if desk else ()
    phrases = {language: _phrases(files, language) for language in languages}
    words = {language: _calendar_words(files, language) for language in languages}
    site = {language: _site_words(files, language) for language in languages}
    replies = {language: _replies(files, language) for language in languages}
    notifications = {language: _notifications(files, language) for language in _told(files, languages)}
    if desk is None or files.mistakes:
        raise BundleError(files.mistakes)
    return Bundle(
        desk.model_copy(update={"phrases": phrases}),
        Texts.model_validate(
            {"replies": replies, "calendar": words, "notifications": notifications, "site": site}
        ),
    )


def write(folder: str | Path, out: str | Path) -> Bundle:
    """Check the templates and write ``desk.json``, ``texts.json`` and ``site.json``. Raises BundleError."""
    bundle = load(folder)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    site = Site(words=bundle.texts.site, calendar=bundle.texts.calendar)
    files = (("desk.json", bundle.desk), ("texts.json", bundle.texts), ("site.json", site))
    for name, model in files:
        text = json.dumps(model.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        (out / name).write_text(text, encoding="utf-8")
    return bundle


class _Files:
    """Reads the folder and keeps what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[Mistake] = []

    def wrong(self, name: str, lines: Iterable[Line]) -> None:
        self.mistakes += [Mistake(str(self.folder / name), line.number, line.text) for line in lines]

    def text(self, name: str, example: str) -> str | None:
        """None after a mistake was noted."""
        try:
            raw = (self.folder / name).read_bytes()
        except OSError as error:
            self.wrong(name, [Line(1, f"cannot be read ({error.strerror}); write e.g. {example}")])
            return None
        if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            self.wrong(
                name, [Line(1, "begins with a byte order mark; save it as plain UTF-8, e.g. without BOM")]
            )
            return None
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            number = raw.count(b"\n", 0, error.start) + 1
            self.wrong(
                name, [Line(number, "a letter is not in UTF-8; save the file as e.g. UTF-8 in your editor")]
            )
            return None

    def yaml(self, name: str, example: str) -> Document | None:
        text = self.text(name, example)
        if text is None:
            return None
        document = read_yaml(text)
        self.wrong(name, document.wrong)
        if not isinstance(document.data, dict):
            if not document.wrong:
                self.wrong(name, [Line(1, f"must be lines of 'key: value'; write e.g. {example}")])
            return None
        return document


# --- desk.yaml --------------------------------------------------------------------------------

_DATES = "dates: Dec 24, 2027 Dec 24 or 2027 Aug 9-20 (the hours of those days go under hours)"
_TEAM = "tell: [{email: care@example.com}]"
_DESK_EXAMPLES = {
    "name": "name: Sportello",
    "time_zone": "time_zone: Europe/Rome",
    "languages": "languages: [it, en]",
    "formal": "formal: true",
    "hours": "hours: Mo-Fr 09:00-13:00,14:00-18:00; PH off",
    "holidays": "holidays: IT",
    "exceptions": "- dates: Dec 24",
    "exceptions.dates": _DATES,
    "exceptions.hours": "hours: off, or hours: 09:00-13:00",
    "exceptions.name": "name: {it: vigilia di Natale, en: Christmas Eve}",
    "teams": f"teams: {{care: {{{_TEAM}}}}} (names in small letters)",
    "tell": _TEAM,
    "slack": "slack: care (the name of the connection, not its address)",
    "email": "email: care@example.com",
    "skills": "skills: [billing, returns]",
    "policy": "policy: {on_it_after: 10 min}",
    "on_it_after": "on_it_after: 10 min",
    "escalate_after": "escalate_after: 30 min",
    "person_quiet": "person_quiet: 30 min",
    "automatic_per_hour": "automatic_per_hour: 500",
    "reply_expires": "reply_expires: 6 h",
    "keep_days": "keep_days: 730",
    "phrases": "phrases/it.yaml",
}
_DURATIONS = ("on_it_after", "escalate_after", "person_quiet", "reply_expires")


def _desk(files: _Files, at: Instant) -> Desk | None:
    document = files.yaml("desk.yaml", "name: Sportello")
    if document is None:
        return None
    desk, lines = parse(document, Desk, _DESK_EXAMPLES, elsewhere=("phrases",))
    lines += [*_of_place_and_hours(document, at), *_of_policy(document)]
    if desk is not None:
        lines += _of_exceptions(document, desk)
        if not lines and not desk.calendar.is_open(at) and desk.calendar.next_opening(at) is None:
            lines.append(Line(document.line(("exceptions",)), _NEVER_OPENS))
    if "phrases" in document.data:
        lines.append(
            Line(document.line(("phrases",)), "phrases do not stand here; write e.g. phrases/it.yaml")
        )
    files.wrong("desk.yaml", lines)
    return desk


_NEVER_OPENS = f"with these exceptions the desk never opens within 370 days; write e.g. {_DATES}"


def _of_place_and_hours(document: Document, at: Instant) -> Iterator[Line]:
    """Of each of the three alone, so that each mistake has its line."""
    zone, country, hours = (document.data.get(key) for key in ("time_zone", "holidays", "hours"))
    if isinstance(zone, str):
        found = problems("24/7", zone, "", at)
        if found or zone not in available_timezones():
            known = did_you_mean(zone, available_timezones())
            yield Line(
                document.line(("time_zone",)), f"{zone!r} is not a time zone{known}; write e.g. Europe/Rome"
            )
    if isinstance(country, str) and country:
        found = problems("24/7", "UTC", country, at)
        yield from (Line(document.line(("holidays",)), text) for text in found)
        country = "" if found else country
        assumed = country or "IT"  # a wrong country is one mistake, not two
    else:
        assumed = ""
    if isinstance(hours, str):
        yield from (Line(document.line(("hours",)), text) for text in problems(hours, "UTC", assumed, at))


def _of_policy(document: Document) -> Iterator[Line]:
    policy = document.data.get("policy")
    for key in _DURATIONS if isinstance(policy, dict) else ():
        number = policy.get(key)
        if isinstance(number, int) and (isinstance(number, bool) or number > 0):
            text = f"{key}: {number} of what? Write e.g. {_DESK_EXAMPLES[key]}"
            yield Line(document.line(("policy", key)), text)


def _of_exceptions(document: Document, desk: Desk) -> Iterator[Line]:
    for index, special in enumerate(desk.exceptions):
        line = document.line(("exceptions", index, "dates"))
        yield from (Line(line, text) for text in _special_problems(special))
        named = [language for language in desk.languages if special.name.get(language, "").strip()]
        if special.name and len(named) < len(desk.languages):
            lacking = next(language for language in desk.languages if language not in named)
            example = _DESK_EXAMPLES["exceptions.name"]
            text = f"the name is missing in {lacking!r}; write e.g. {example}"
            yield Line(document.line(("exceptions", index, "name")), text)


def _special_problems(special: ClosedOrSpecial) -> list[str]:
    if rule_problems(f"{special.dates} off"):
        return [f"{special.dates!r} is no date; write e.g. {_DATES}"]
    return rule_problems(f"{special.dates} {special.hours}")


# --- phrases, calendar, replies, notifications ------------------------------------------------


def _phrases(files: _Files, language: str) -> Phrases | None:
    name = f"phrases/{language}.yaml"
    example = "thanks: [grazie, grazie mille]"
    document = files.yaml(name, example)
    if document is None:
        return None
    phrases, lines = parse(document, Phrases, dict.fromkeys(Phrases.model_fields, example))
    for kind in Phrases.model_fields:
        if kind not in document.data:
            lines.append(Line(1, f"{kind!r} is missing; write e.g. {kind}: [] if there are none"))
    for kind in Phrases.model_fields if phrases else ():
        lines += _of_phrases(document, kind, getattr(phrases, kind))
    files.wrong(name, lines)
    return phrases


def _of_phrases(document: Document, kind: str, phrases: Iterable[str]) -> Iterator[Line]:
    first: dict[str, int] = {}
    for index, phrase in enumerate(phrases):
        line, words = document.line((kind, index)), plain(phrase)
        if not words:
            yield Line(line, f"{phrase!r} holds no word; write e.g. grazie mille")
        elif words in first:
            yield Line(
                line, f"{phrase!r} stands here twice (first on line {first[words]}); keep e.g. the first"
            )
        else:
            first[words] = line


_NEEDED_AND_ALLOWED = {
    "time": ({"mm"}, {"h", "hh", "h12", "ampm"}),
    "at": ({"time"}, set[str]()),
    "at_one": ({"time"}, set[str]()),
    "yesterday": ({"at"}, set[str]()),
    "today": ({"at"}, set[str]()),
    "tomorrow": ({"at"}, set[str]()),
    "on_weekday": ({"weekday", "at"}, set[str]()),
    "on_date": ({"day", "month", "at"}, {"weekday", "year"}),
    "date": ({"day", "month"}, {"weekday"}),
    "day_range": ({"a", "b"}, set[str]()),
    "date_range": ({"a", "b"}, set[str]()),
    "time_range": ({"a", "b"}, set[str]()),
    "hours_of_days": ({"days", "hours"}, set[str]()),
    "named_hours": ({"hours", "name"}, set[str]()),
}
_MAY_BE_EMPTY = {"at_one"}
_WORDS_EXAMPLES = {
    "weekdays_short": "weekdays_short: [Mon, Tue, Wed, Thu, Fri, Sat, Sun] (seven)",
    "weekdays": "weekdays: [Monday, Tuesday, …] (seven)",
    "weekdays_on": "weekdays_on: [on Monday, on Tuesday, …] (seven)",
    "months": "months: [January, February, …] (twelve)",
    "first_of_month": 'first_of_month: "1"',
    "closed": "closed: closed",
    **{
        key: f'{key}: "' + " ".join(f"{{{name}}}" for name in sorted(needed)) + '"'
        for key, (needed, _) in _NEEDED_AND_ALLOWED.items()
    },
    "time": 'time: "{h}:{mm}"',
}


def _calendar_words(files: _Files, language: str) -> CalendarWords | None:
    name = f"calendar/{language}.yaml"
    document = files.yaml(name, 'time: "{h}:{mm}"')
    if document is None:
        return None
    words, lines = parse(document, CalendarWords, _WORDS_EXAMPLES)
    for key, value in document.data.items():
        if isinstance(value, str) and not value and key not in _MAY_BE_EMPTY:
            lines.append(Line(document.line((key,)), f"{key!r} is empty; write e.g. {_example_of(key)}"))
        elif isinstance(value, str) and value and key in _NEEDED_AND_ALLOWED:
            wrong = pattern_mistake(value, *_NEEDED_AND_ALLOWED[key])
            lines += [Line(document.line((key,)), f"{key}: {wrong}")] if wrong else []
        for index, item in enumerate(value) if isinstance(value, list) else ():
            if isinstance(item, str) and not item.strip():
                lines.append(
                    Line(document.line((key, index)), f"{key}: empty; write e.g. {_example_of(key)}")
                )
    files.wrong(name, lines)
    return words


_SITE_VALUES = {
    "hours": {"hours"},
    "next_opening": {"opening"},
    "remove_file": {"name"},
    "file_too_large": {"size"},
    "file_failed": {"name"},
    "unread": {"count"},
    "email_saved": {"email"},
    "download": {"name"},
    "mail_subject": {"desk"},
    "mail_intro": {"desk"},
    "mail_line": {"who", "when", "text"},
}
_SITE_EXAMPLES = {name: f"{name}: a few words" for name in SiteWords.model_fields} | {
    key: f'{key}: "a few words ' + " ".join(f"{{{name}}}" for name in sorted(values)) + '"'
    for key, values in _SITE_VALUES.items()
}


def _site_words(files: _Files, language: str) -> SiteWords | None:
    name = f"site/{language}.yaml"
    document = files.yaml(name, "title: Messages")
    if document is None:
        return None
    words, lines = parse(document, SiteWords, _SITE_EXAMPLES)
    for key in SiteWords.model_fields:
        value = document.data.get(key)
        if not isinstance(value, str):
            continue  # said above
        if not value.strip():
            lines.append(Line(document.line((key,)), f"{key!r} is empty; write e.g. {_SITE_EXAMPLES[key]}"))
        elif wrong := pattern_mistake(value, _SITE_VALUES.get(key, set()), set()):
            lines.append(Line(document.line((key,)), f"{key}: {wrong}"))
    files.wrong(name, lines)
    return words


def _example_of(key: str) -> str:
    return _WORDS_EXAMPLES.get(key, f"{key}: a word")


_SAMPLE_HOURS = "lun–ven 9:00–13:00, 14:00–18:00; gio 24 dicembre 9:00–13:00 (vigilia di Natale)"
_REPLY_SAMPLES = [
    {"desk": "Sportello", "formal": formal, "hours": _SAMPLE_HOURS, "next_opening": opening}
    for formal, opening in product((False, True), ("domani alle 9:00", ""))
]


def _replies(files: _Files, language: str) -> dict[str, str]:
    folder = f"replies/{language}"
    known = get_args(Text)
    for path in sorted((files.folder / folder).glob("*.txt")):
        if path.stem not in known:
            text = f"nothing says {path.stem!r}{did_you_mean(path.stem, known)}; known: {', '.join(known)}"
            files.wrong(f"{folder}/{path.name}", [Line(1, text)])
    example = "a text such as: Thank you! We will answer {{ next_opening }}."
    names = {name: f"{folder}/{name}.txt" for name in known}
    return {
        name: _template(files, file, example, wording.REPLY_VALUES, _REPLY_SAMPLES)
        for name, file in names.items()
    }


def _template(
    files: _Files, name: str, example: str, known: Iterable[str], samples: Iterable[Mapping[str, Any]]
) -> str:
    source = files.text(name, example)
    if source is None:
        return ""
    files.wrong(name, template_mistakes(source, known, samples))
    return source


def _told(files: _Files, languages: Iterable[str]) -> list[str]:
    """The default language, in which people are called, and others whose texts are there."""
    return [
        language
        for index, language in enumerate(languages)
        if index == 0 or (files.folder / "notifications" / language).is_dir()
    ]


_NOTICE_SAMPLE = {
    "channel": "WhatsApp",
    "customer": "Customer One",
    "desk": "Sportello",
    "reasons": "asks for a person",
    "thread": "abcdefghijklmnopqrstuvwxyz",
}


def _notifications(files: _Files, language: str) -> BaseModel | None:
    folder = f"notifications/{language}"
    sample = [_NOTICE_SAMPLE]
    title = _template(
        files, f"{folder}/title.txt", "{{ customer }} needs a person", wording.TITLE_VALUES, sample
    )
    answer = _template(
        files, f"{folder}/answer.txt", "sportello reply {{ thread }}", wording.ANSWER_VALUES, sample
    )
    document = files.yaml(f"{folder}/words.yaml", "labels: {customer: Customer, channel: Channel}")
    if document is None:
        return None
    examples = {
        "labels": "labels: {customer: Customer}",
        "reasons": "reasons: {urgent: it seems urgent}",
        "channels": "channels: {whatsapp: WhatsApp}",
        "nothing_said": "nothing_said: (no text)",
    }
    data = {**document.data, "title": title, "answer": answer}
    texts, lines = parse(document, NotificationTexts, examples, data, ("title", "answer"))
    for key, needed in (("labels", wording.LABELS), ("reasons", CALLS)):
        lines += _of_keys(document, key, tuple(map(str, needed)))
    for key in ("title", "answer"):
        if key in document.data:
            line = document.line((key,))
            lines.append(Line(line, f"{key!r} does not stand here; write e.g. {folder}/{key}.txt"))
    files.wrong(f"{folder}/words.yaml", lines)
    return texts


def _of_keys(document: Document, key: str, needed: tuple[str, ...]) -> Iterator[Line]:
    given = document.data.get(key)
    if not isinstance(given, dict):
        return
    for name in needed:
        if not str(given.get(name) or "").strip():
            yield Line(document.line((key,)), f"{key} lacks {name!r}; write e.g. {name}: a few words")
    for name in given:
        if name not in needed:
            known = f"{did_you_mean(str(name), needed)}; known: {', '.join(needed)}"
            yield Line(document.line((key, name)), f"{name!r} is not known here{known}")


def main(arguments: list[str]) -> int:
    """``python -m infra.bundle TEMPLATES OUT``: 0, or 1 with the mistakes on standard error."""
    if len(arguments) != 2:
        print("usage: python -m infra.bundle TEMPLATES OUT", file=sys.stderr)
        return 2
    try:
        write(*arguments)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
