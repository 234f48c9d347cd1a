"""``templates/replies/``: what customers are told, by language and, where it differs, by channel."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean
from infra.template_files import Files
from infra.text_mistakes import template_mistakes
from infra.yaml_with_lines import Document, Line
from sportello.services.wording import BUTTONS, REPLY_VALUES, render

PUBLIC_LONGEST = 240
"""Characters of a public answer (wide ones count twice): the narrowest public channel has 280, and a
mention of the customer stands before it."""
BUTTON_LONGEST = 20
"""Characters of a button: WhatsApp's limit."""

_EXAMPLE = "a text such as: Thank you! We will answer {{ next_opening }}."
_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "desk": ("Sportello",),
    "formal": (False, True),
    "hours": ("lun–ven 9:00–13:00, 14:00–18:00; gio 24 dicembre 9:00–13:00 (vigilia di Natale)", ""),
    "next_opening": ("domani alle 9:00", ""),
    "promise": ("oggi alle 15:40", ""),
    "answer": ("Sì, entro trenta giorni.",),
    "buttons": (False, True),
    "order": ("10004711",),
    "status": ("in viaggio",),
    "expected": ("mercoledì 25 novembre", ""),
    "link": ("https://example.com/10004711", ""),
    "question": ("qual è il numero dell'ordine?",),
}
_ALWAYS_THERE = {"to_care": {"link"}}
"""Values that may be empty elsewhere."""


def samples(name: str) -> list[dict[str, Any]]:
    """Every way in which a text may be said."""
    values = REPLY_VALUES[name]
    choices = [_SAMPLES[value][: 1 if value in _ALWAYS_THERE.get(name, ()) else None] for value in values]
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*choices)]


def replies(files: Files, language: str) -> dict[str, str]:
    """By name, and by ``channel/name`` what a channel says in its own way."""
    folder = f"replies/{language}"
    for path in sorted((files.folder / folder).glob("*.txt")):
        if path.stem not in REPLY_VALUES:
            files.wrong(f"{folder}/{path.name}", [Line(1, _nothing_says(path.stem))])
    texts = {name: _reply(files, f"{folder}/{name}.txt", name) for name in REPLY_VALUES}
    for channel, name in _own_texts(files, folder):
        texts[f"{channel}/{name}"] = _reply(files, f"{folder}/{channel}/{name}.txt", name)
    return texts


def same_in_every_language(files: Files, texts: Mapping[str, Mapping[str, str]]) -> None:
    """A channel's own text in one language only would make it speak in two voices."""
    own = {key for by_name in texts.values() for key in by_name if "/" in key}
    for language, by_name in texts.items():
        for key in sorted(own - by_name.keys()):
            other = next(code for code, given in texts.items() if key in given)
            text = f"is missing, and replies/{other}/{key}.txt is there; write e.g. {_EXAMPLE}"
            files.wrong(f"replies/{language}/{key}.txt", [Line(1, text)])


def buttons(files: Files, language: str) -> dict[str, str]:
    """Titles of the buttons below an answer: ``yes`` and ``no``."""
    name, example = f"replies/{language}/buttons.yaml", "yes: Yes, thanks"
    document = files.yaml(name, example)
    if document is None:
        return {}
    files.wrong(name, _of_buttons(document))
    return {key: str(document.data.get(key, "")) for key in BUTTONS}


def _of_buttons(document: Document) -> Iterator[Line]:
    for key in document.data:
        if key not in BUTTONS:
            known = f"{did_you_mean(str(key), BUTTONS)}; known: {', '.join(BUTTONS)}"
            yield Line(document.line((key,)), f"{key!r} is not known here{known}")
    for key in BUTTONS:
        title = document.data.get(key)
        if not isinstance(title, str) or not title.strip():
            yield Line(document.line((key,)), f"{key!r} is missing; write e.g. {key}: {key.title()}, thanks")
        elif len(title) > BUTTON_LONGEST:
            text = f"{title!r} has {len(title)} characters, at most {BUTTON_LONGEST} fit on a button"
            yield Line(document.line((key,)), f"{text}; write e.g. {key}: {key.title()}")
    titles = [str(document.data.get(key) or "").strip().casefold() for key in BUTTONS]
    if all(titles) and len(set(titles)) < len(BUTTONS):
        yield Line(1, "both buttons have the same title; write e.g. yes: Yes, thanks")


def _own_texts(files: Files, folder: str) -> Iterator[tuple[str, str]]:
    known = channel_names()
    for below in sorted(path for path in (files.folder / folder).glob("*") if path.is_dir()):
        texts = sorted(below.glob("*.txt"))
        if below.name not in known:
            text = f"{below.name!r} is no channel{did_you_mean(below.name, known)}; known: {', '.join(known)}"
            files.wrong(_name_of(files, below), [Line(1, text)])
            continue
        for path in texts:
            if path.stem in REPLY_VALUES:
                yield below.name, path.stem
            else:
                files.wrong(_name_of(files, path), [Line(1, _nothing_says(path.stem))])


def _name_of(files: Files, path: Path) -> str:
    return path.relative_to(files.folder).as_posix()


def _nothing_says(name: str) -> str:
    return f"nothing says {name!r}{did_you_mean(name, REPLY_VALUES)}; known: {', '.join(REPLY_VALUES)}"


def _reply(files: Files, file: str, name: str) -> str:
    source = files.text(file, _EXAMPLE)
    if source is None:
        return ""
    tried = samples(name)
    lines = template_mistakes(source, REPLY_VALUES[name], tried)
    if not lines and name.startswith("public_"):
        lines = _too_long_in_public(source, tried)
    files.wrong(file, lines)
    return source


def _too_long_in_public(source: str, tried: Iterable[Mapping[str, Any]]) -> list[Line]:
    longest = max(_width(render(source, sample)) for sample in tried)
    if longest <= PUBLIC_LONGEST:
        return []
    text = f"{longest} characters, at most {PUBLIC_LONGEST} fit into a public answer"
    return [Line(1, f"{text}; write e.g. one sentence less")]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
