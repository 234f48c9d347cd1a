"""``templates/notifications/``: what people of the desk are told, and the page on which they take it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from infra.model_mistakes import did_you_mean, parse
from infra.template_files import Files
from infra.text_mistakes import pattern_mistake, template_mistakes
from infra.yaml_with_lines import Document, Line
from sportello.domain.incidents import CLASSES
from sportello.domain.reasons import CALLS
from sportello.services.notice_words import (
    ANSWER_VALUES,
    CONSOLE_VALUES,
    DEADLINES,
    DIGEST_VALUES,
    INCIDENT_VALUES,
    LABELS,
    TITLE_VALUES,
    ConsoleWords,
    NotificationTexts,
)

_SAMPLE = {
    "channel": "WhatsApp",
    "conversations": 23,
    "customer": "Customer One",
    "desk": "Sportello",
    "minutes": 10,
    "reasons": "asks for a person",
    "team": "care",
    "thread": "abcdefghijklmnopqrstuvwxyz",
    "what": "people complain",
}
_NEWS = [
    _SAMPLE | {"news": news, "public": public, "minutes": minutes}
    for news, public, minutes in product(("opened", "grown", "unacknowledged"), (False, True), (1, 10))
]
_TEXTS: Mapping[str, tuple[str, tuple[str, ...], list[dict[str, Any]]]] = {
    "title": ("{{ customer }} needs a person", TITLE_VALUES, [_SAMPLE]),
    "answer": ("sportello reply {{ thread }}", ANSWER_VALUES, [_SAMPLE]),
    "digest": (
        "{{ conversations }} conversations wait",
        DIGEST_VALUES,
        [_SAMPLE | {"conversations": many} for many in (1, 2, 500)],
    ),
    "incident": ("{{ conversations }} conversations: {{ what }}", INCIDENT_VALUES, _NEWS),
}
"""An example, what it may name, and what it is tried with."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    "labels": LABELS,
    "reasons": tuple(map(str, CALLS)),
    "deadlines": DEADLINES,
    "waves": tuple(name for name, _ in CLASSES),
}
_EXAMPLES = {
    "labels": "labels: {customer: Customer}",
    "reasons": "reasons: {urgent: it seems urgent}",
    "playbook": "playbook: {angry: Ask what would help before you explain.}",
    "deadlines": "deadlines: {first: first answer}",
    "waves": "waves: {complaint: people complain}",
    "channels": "channels: {whatsapp: WhatsApp}",
    "nothing_said": "nothing_said: (no text)",
    "take": "take: Take it",
    "more": 'more: "and {count} more"',
    "nobody_on_call": "nobody_on_call: Nobody is on call now.",
}

_CONSOLE_EXAMPLES = {name: f"{name}: a few words" for name in ConsoleWords.model_fields} | {
    key: f'{key}: "a few words ' + " ".join(f"{{{name}}}" for name in sorted(values)) + '"'
    for key, values in CONSOLE_VALUES.items()
}


def told(files: Files, languages: Iterable[str]) -> list[str]:
    """The default language, in which people are called, and others whose texts are there."""
    return [
        language
        for index, language in enumerate(languages)
        if index == 0 or (files.folder / "notifications" / language).is_dir()
    ]


def notifications(files: Files, language: str) -> NotificationTexts | None:
    folder = f"notifications/{language}"
    texts = {name: _template(files, f"{folder}/{name}.txt", *given) for name, given in _TEXTS.items()}
    console = _console(files, f"{folder}/console.yaml")
    document = files.yaml(f"{folder}/words.yaml", "labels: {customer: Customer, channel: Channel}")
    if document is None or console is None:
        return None
    elsewhere = (*_TEXTS, "console")
    data = {**document.data, **texts, "console": console}
    found, lines = parse(document, NotificationTexts, _EXAMPLES, data, elsewhere)
    for key, needed in _KEYS.items():
        lines += _of_keys(document, key, needed, needed)
    lines += _of_keys(document, "playbook", (), tuple(map(str, CALLS)))
    lines += _of_words(document)
    for key in elsewhere:
        if key in document.data:
            file = f"{folder}/{key}.{'yaml' if key == 'console' else 'txt'}"
            lines.append(Line(document.line((key,)), f"{key!r} does not stand here; write e.g. {file}"))
    files.wrong(f"{folder}/words.yaml", lines)
    return found


def _template(
    files: Files, name: str, example: str, known: Iterable[str], samples: list[dict[str, Any]]
) -> str:
    source = files.text(name, example)
    if source is None:
        return ""
    given = [{key: sample[key] for key in known if key in sample} for sample in samples]
    files.wrong(name, template_mistakes(source, known, given))
    return source


def _of_keys(
    document: Document, key: str, needed: tuple[str, ...], allowed: tuple[str, ...]
) -> Iterator[Line]:
    given = document.data.get(key)
    if not isinstance(given, dict):
        return
    for name in needed:
        if not str(given.get(name) or "").strip():
            yield Line(document.line((key,)), f"{key} lacks {name!r}; write e.g. {name}: a few words")
    for name in given:
        if name not in allowed:
            known = f"{did_you_mean(str(name), allowed)}; known: {', '.join(allowed)}"
            yield Line(document.line((key, name)), f"{name!r} is not known here{known}")


def _of_words(document: Document) -> Iterator[Line]:
    for key in ("take", "more", "nobody_on_call", "nothing_said"):
        value = document.data.get(key)
        if isinstance(value, str) and not value.strip():
            yield Line(document.line((key,)), f"{key!r} is empty; write e.g. {_EXAMPLES[key]}")
        elif key == "more" and isinstance(value, str) and (wrong := pattern_mistake(value, {"count"}, set())):
            yield Line(document.line((key,)), f"{key}: {wrong}")


def _console(files: Files, name: str) -> dict[str, Any] | None:
    document = files.yaml(name, "take: Take it")
    if document is None:
        return None
    words, lines = parse(document, ConsoleWords, _CONSOLE_EXAMPLES)
    for key in ConsoleWords.model_fields:
        value = document.data.get(key)
        if not isinstance(value, str):
            continue  # said above
        if not value.strip():
            lines.append(
                Line(document.line((key,)), f"{key!r} is empty; write e.g. {_CONSOLE_EXAMPLES[key]}")
            )
        elif wrong := pattern_mistake(value, CONSOLE_VALUES.get(key, set()), set()):
            lines.append(Line(document.line((key,)), f"{key}: {wrong}"))
    files.wrong(name, lines)
    return words.model_dump() if words else None
