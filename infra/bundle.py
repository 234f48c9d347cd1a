"""``templates/`` as a care lead edits it becomes what functions load: desk, texts and site ``.json``.

Everything is checked here, so that nothing can be wrong at run time: every mistake names its file
and line, says what is wrong and shows the right form. Used by ``sportello check``, by the build
(``python -m infra.bundle TEMPLATES OUT``) and at the start of the local desk.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from infra import (
    bundle_escalation,
    bundle_faq,
    bundle_guidelines,
    bundle_hours,
    bundle_notifications,
    bundle_phrases,
    bundle_replies,
    bundle_staff,
    staff_gaps,
)
from infra.bundle_calendar import calendar_words
from infra.bundle_directory import directory_words, ways_in, without_ways
from infra.model_mistakes import parse
from infra.template_files import BundleError as BundleError
from infra.template_files import Files
from infra.template_files import Mistake as Mistake
from infra.text_mistakes import pattern_mistake
from infra.yaml_with_lines import Line
from sportello.domain.desk import Desk
from sportello.domain.directory import Directory, Way
from sportello.domain.faq import Faq
from sportello.domain.guidelines import Guidelines
from sportello.domain.model import Instant, to_instant
from sportello.domain.site import Site, SiteWords
from sportello.services.wording import Texts


class Bundle(NamedTuple):
    desk: Desk
    texts: Texts
    faq: Faq
    guidelines: Mapping[str, Guidelines] = {}
    warnings: tuple[Mistake, ...] = ()
    """What could be better; nothing stops for it."""


def load(folder: str | Path, at: Instant | None = None) -> Bundle:
    """The desk and its texts.

    Args:
        folder: ``templates/``.
        at: from when on the desk must open within 370 days; by default now.

    Raises:
        BundleError: with every mistake.
    """
    files = Files(Path(folder))
    at = to_instant(datetime.now(UTC)) if at is None else at
    desk, ways = _desk(files, at)
    languages = desk.languages if desk else ()
    phrases = bundle_phrases.read(files, languages)
    bundle_staff.topics(files, desk, phrases.values())
    words = {language: calendar_words(files, language) for language in languages}
    site = {language: _site_words(files, language) for language in languages}
    replies = {language: bundle_replies.replies(files, language) for language in languages}
    buttons = {language: bundle_replies.buttons(files, language) for language in languages}
    bundle_replies.same_in_every_language(files, replies)
    faq = bundle_faq.faq(files, desk, at)
    guidelines = bundle_guidelines.guidelines(files, languages)
    page = {language: directory_words(files, language, desk, ways) for language in languages}
    notifications = {
        language: bundle_notifications.notifications(files, language)
        for language in bundle_notifications.told(files, languages)
    }
    if not files.mistakes:  # a text is read once it can be put together
        bundle_guidelines.read_texts(files, guidelines, desk, replies)
    if desk is None or files.mistakes:
        raise BundleError(files.mistakes)
    return Bundle(
        desk.model_copy(
            update=bundle_phrases.of_desk(phrases)
            | {"faq_words": bundle_faq.words(faq), "contacts": bundle_guidelines.contacts(guidelines)}
        ),
        Texts.model_validate(
            {
                "replies": replies,
                "buttons": buttons,
                "calendar": words,
                "notifications": notifications,
                "site": site,
                "directory": page,
                "ways": ways,
            }
        ),
        faq,
        guidelines,
        tuple(sorted(set(files.warnings))),
    )


def write(folder: str | Path, out: str | Path) -> Bundle:
    """Check the templates and write ``desk.json``, ``texts.json`` and what single functions read of them.

    Raises BundleError.
    """
    bundle = load(folder)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    texts = bundle.texts
    files = {
        "desk.json": bundle.desk,
        "texts.json": texts,
        "site.json": Site(words=texts.site, calendar=texts.calendar),
        "faq.json": bundle.faq,
        "directory.json": Directory(words=texts.directory, calendar=texts.calendar, ways=texts.ways),
    }
    shown = {name: model.model_dump(mode="json") for name, model in files.items()}
    shown["desk.json"]["faq_words"].sort()  # the same templates make the same bytes
    shown["guidelines.json"] = {
        language: rules.model_dump(mode="json", exclude_unset=True)
        for language, rules in bundle.guidelines.items()
    }
    for name, data in shown.items():
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        (out / name).write_text(text, encoding="utf-8")
    return bundle


# --- desk.yaml --------------------------------------------------------------------------------

_TEAM = "tell: [{email: care@example.com}]"
_DESK_EXAMPLES = {
    "name": "name: Sportello",
    "time_zone": "time_zone: Europe/Rome",
    "languages": "languages: [it, en]",
    "formal": "formal: true",
    **bundle_hours.EXAMPLES,
    "teams": f"teams: {{care: {{{_TEAM}}}}} (names in small letters)",
    "tell": _TEAM,
    "slack": "slack: care (the name of the connection, not its address)",
    "email": "email: care@example.com",
    **bundle_staff.EXAMPLES,
    **bundle_escalation.EXAMPLES,
    "policy": "policy: {on_it_after: 10 min}",
    "automatic_per_hour": "automatic_per_hour: 500",
    "keep_days": "keep_days: 730",
    "phrases": "phrases/it.yaml",
}


def _desk(files: Files, at: Instant) -> tuple[Desk | None, tuple[Way, ...]]:
    document = files.yaml("desk.yaml", "name: Sportello")
    if document is None:
        return None, ()
    own = bundle_faq.without_faq(without_ways(document.data))
    desk, lines = parse(document, Desk, _DESK_EXAMPLES, own, elsewhere=bundle_phrases.OF_DESK)
    lines += [*bundle_hours.of_hours(document, desk, at), *bundle_staff.bare_numbers(document)]
    if desk is not None:
        lines += bundle_staff.of_staff(document, desk, at)
        lines += bundle_escalation.of_escalation(document, desk, at)
    if desk is not None and not lines:
        lines += [*bundle_hours.never_open(document, desk, at)] or staff_gaps.mistakes(document, desk, at)
        files.warn("desk.yaml", [] if lines else staff_gaps.warnings(document, desk, at))
    for key in bundle_phrases.OF_DESK:
        if key in document.data:
            lines.append(Line(document.line((key,)), f"{key} do not stand here; write e.g. phrases/it.yaml"))
    listed, wrong = ways_in(document, desk)
    files.wrong("desk.yaml", [*lines, *wrong])
    return desk, listed


# --- site -------------------------------------------------------------------------------------


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


def _site_words(files: Files, language: str) -> SiteWords | None:
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
