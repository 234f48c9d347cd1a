"""``templates/guidelines/``: the rules by which the company writes, and every text of the desk read by"
" them.

A text that breaks a rule of level ``block`` is a mistake of the build; ``warn`` and ``info`` are
warnings, which ``sportello check`` shows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any

from jinja2 import TemplateError

from infra import bundle_replies
from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean, parse
from infra.template_files import Files
from infra.yaml_with_lines import Document, Line, Path
from sportello.domain.address import FORMS
from sportello.domain.desk import Desk
from sportello.domain.guideline_phrases import folded
from sportello.domain.guidelines import Guidelines, Ours, Remark, Rules, lint
from sportello.services.wording import render

_FILE = "official: {length: {most: 900}}"
_SAY = "say: [riprova più tardi, garanti*]"
_WORDS = 'words: {problematica: problema, ovviamente: ""}'
_EXAMPLES = {
    "official": _FILE,
    "care": "care: {emoji: {most: 3}}",
    "channels": "channels: {sms: {length: {most: 320}}}",
    "level": "level: warn (block, warn, info or off)",
    "may_override": "may_override: true",
    "suggest": "suggest: Say when we will write again",
    "use": "use: desk (or formal, informal, any)",
    "say": _SAY,
    "unless": "unless: [non possiamo garantire]",
    "also": "also: [GRATIS]",
    "words": _WORDS,
    "most": "most: 3",
    "formal": "formal: 0",
    "letters": "letters: 6",
    "marks": "marks: 3",
    "allow": "allow: [IBAN, PEC]",
    "banned": f"banned: {{level: warn, {_WORDS}}}",
    "preferred": f"preferred: {{level: info, {_WORDS}}}",
    "promise": f"promise: {{level: block, {_SAY}}}",
    "dead_end": f"dead_end: {{level: block, {_SAY}}}",
    "internal": f"internal: {{level: block, {_SAY}}}",
    "length": "length: {level: warn, most: 900}",
    "shouting": "shouting: {level: warn, letters: 6, marks: 3}",
    "emoji": "emoji: {level: warn, most: 1, formal: 0}",
    "formality": "formality: {level: warn, use: desk}",
    "mixed_address": "mixed_address: {level: block}",
    "placeholder": "placeholder: {level: block}",
    "personal_data": "personal_data: {level: block}",
    "contacts": "contacts: [care@example.com, 800 123 456]",
    "handles": 'handles: ["@colleague"]',
    "teams": "teams: [second line]",
    "trackers": "trackers: [JIRA]",
    "hosts": "hosts: [wiki.example.com]",
}


def guidelines(files: Files, languages: Iterable[str]) -> dict[str, Guidelines]:
    """Of each language whose file can be used."""
    ours = _ours(files)
    found = {language: _guidelines(files, language, ours) for language in languages}
    return {language: one for language, one in found.items() if one is not None}


def _ours(files: Files) -> Ours:
    """The one file that may be missing: then the company has nothing of its own."""
    name = "guidelines/ours.yaml"
    if not (files.folder / name).exists():
        return Ours()
    document = files.yaml(name, _EXAMPLES["contacts"])
    if document is None:
        return Ours()
    ours, lines = parse(document, Ours, _EXAMPLES)
    for key, values in document.data.items():
        for index, value in enumerate(values) if isinstance(values, list) else ():
            if isinstance(value, str) and not folded(value).strip("@ "):
                lines.append(Line(document.line((key, index)), f"{key}: empty; write e.g. {_EXAMPLES[key]}"))
    files.wrong(name, lines)
    return ours or Ours()


def _guidelines(files: Files, language: str, ours: Ours) -> Guidelines | None:
    name = f"guidelines/{language}.yaml"
    document = files.yaml(name, _FILE)
    if document is None:
        return None
    data = {**document.data, "language": language, "ours": ours}
    found, lines = parse(document, Guidelines, _EXAMPLES, data, ("language", "ours"))
    for key in ("language", "ours"):
        if key in document.data:
            where = "guidelines/ours.yaml" if key == "ours" else "the file's own name"
            lines.append(Line(document.line((key,)), f"{key!r} does not stand here; write e.g. {where}"))
    if found is not None:
        for place, rules in _places(found):
            lines += _of_rules(document, place, rules, language)
        lines += _of_channels(document, found)
    files.wrong(name, lines)
    return found


def _places(found: Guidelines) -> Iterator[tuple[Path, Rules]]:
    for role, voice in (("official", found.official), ("care", found.care)):
        yield (role,), voice
        for channel, rules in voice.channels.items():
            yield (role, "channels", channel), rules


def _of_channels(document: Document, found: Guidelines) -> Iterator[Line]:
    known = channel_names()
    for role, voice in (("official", found.official), ("care", found.care)):
        for channel in voice.channels:
            if channel not in known:
                yield Line(
                    document.line((role, "channels", channel)),
                    f"{channel!r} is no channel{did_you_mean(channel, known)}; known: {', '.join(known)}",
                )


def _of_rules(document: Document, place: Path, rules: Rules, language: str) -> Iterator[Line]:
    data = rules.personal_data
    if data.level not in (None, "block") or data.may_override:
        line = document.line((*place, "personal_data"))
        yield Line(
            line, f"personal data in public is always blocked; write e.g. {_EXAMPLES['personal_data']}"
        )
    if language not in FORMS and (rules.formality.use not in (None, "any")):
        line = document.line((*place, "formality", "use"))
        yield Line(line, f"{language!r} has one form of address; write e.g. formality: {{level: off}}")
    for name in ("promise", "dead_end", "internal"):
        for key in ("say", "also", "unless"):
            yield from _of_phrases(document, (*place, name, key), getattr(getattr(rules, name), key) or ())
    replaced = dict[str, str]()
    for name in ("banned", "preferred"):
        for key in ("words", "also"):
            words = getattr(getattr(rules, name), key) or {}
            yield from _of_phrases(document, (*place, name, key), words, by_name=True)
            yield from _of_replacements(document, (*place, name, key), words, replaced)
    for name, lists in (("shouting", ("allow", "also")), ("emoji", ("banned", "also"))):
        for key in lists:
            for index, word in enumerate(getattr(getattr(rules, name), key) or ()):
                if not word.strip():
                    yield Line(
                        document.line((*place, name, key, index)),
                        f"{name}: empty; write e.g. {_EXAMPLES[name]}",
                    )


def _of_phrases(
    document: Document, path: Path, phrases: Iterable[str], by_name: bool = False
) -> Iterator[Line]:
    first: dict[str, int] = {}
    for index, phrase in enumerate(phrases):
        line = document.line((*path, phrase if by_name else index))
        words = " ".join(folded(phrase).split())
        if wrong := _phrase_mistake(words):
            yield Line(line, f"{phrase!r} {wrong}")
        elif words in first:
            yield Line(
                line, f"{phrase!r} stands here twice (first on line {first[words]}); keep e.g. the first"
            )
        else:
            first[words] = line


def _phrase_mistake(words: str) -> str:
    if not any(map(str.isalnum, words)):
        return f"holds no word; write e.g. {_SAY}"
    if words.startswith("...") or words.endswith("..."):
        return "begins or ends with ...; write e.g. sicuramente ... domani"
    if any("*" in word[:-1] or len(word) in (1, 2, 3) for word in words.split() if "*" in word):
        return "has a * that does not end a beginning of three letters; write e.g. garanti*"
    return ""


def _of_replacements(
    document: Document, path: Path, words: Mapping[str, str], replaced: dict[str, str]
) -> Iterator[Line]:
    for phrase, instead in words.items():
        line, said = document.line((*path, phrase)), " ".join(folded(phrase).split())
        if said in replaced and replaced[said] != path[-2]:
            yield Line(line, f"{phrase!r} stands under {replaced[said]} too; keep e.g. the one under banned")
        if said == " ".join(folded(instead).split()):
            yield Line(line, f"{phrase!r} is replaced by itself; write e.g. {_WORDS}")
        replaced[said] = str(path[-2])


# --- the desk's own texts ----------------------------------------------------------------------------

_SITE_SAMPLES = {
    "hours": "lun 9:00", "opening": "9:00", "name": "a.pdf", "size": "5 MB", "count": "2",
    "email": "care@example.com", "desk": "Sportello", "who": "Sportello", "when": "9:00", "text": "ok",
}  # fmt: skip
_LABEL_WORDS = 2
_HOURS = "lun–ven 9:00–13:00, 14:00–18:00"


def read_texts(
    files: Files,
    rules: Mapping[str, Guidelines],
    desk: Desk | None,
    replies: Mapping[str, Mapping[str, str]],
) -> None:
    """Every text of the desk read by its guidelines: what blocks is wrong, the rest is warned of."""
    if desk is None:
        return
    for language, one in rules.items():
        for name, text in replies.get(language, {}).items():
            remarks = _of_template(text, bundle_replies.samples(name.rpartition("/")[2]), one)
            _told(files, f"replies/{language}/{name}.txt", 0, text, remarks)
        for name, line, text, jinja in _faq_and_site(files, language):
            if jinja:
                remarks = _of_template(text, _answer_samples(desk), one)
            else:
                remarks = _of_pattern(text, one, desk.formal)
            _told(files, name, line, text, remarks)


def _faq_and_site(files: Files, language: str) -> Iterator[tuple[str, int, str, bool]]:
    """File, line, text, and whether it is a Jinja text."""
    texts: list[tuple[Path, Any, bool]]
    for name in (f"faq/{language}.yaml", f"site/{language}.yaml"):
        document = files.documents.get(name)
        data: Any = document.data if document else None
        if document is None or not isinstance(data, dict):
            continue
        if name.startswith("site"):
            texts = [((key,), value, False) for key, value in data.items()]
        else:
            entries = data.get("entries")
            entries = entries if isinstance(entries, list) else []
            texts = [
                (("entries", index, "answer"), entry.get("answer"), True)
                for index, entry in enumerate(entries)
                if isinstance(entry, dict)
            ]
        for where, text, jinja in texts:
            if isinstance(text, str):
                yield name, document.line(where), text, jinja


def _answer_samples(desk: Desk) -> list[dict[str, Any]]:
    return [
        {"desk": desk.name, "formal": formal, "hours": _HOURS, "next_opening": opening}
        for formal, opening in product((False, True), ("domani alle 9:00", ""))
    ]


def _of_template(source: str, samples: Iterable[Mapping[str, Any]], rules: Guidelines) -> list[Remark]:
    """With every placeholder filled in, in every way in which it may be said.

    A text that cannot be put together is told by whoever checks the template itself.
    """
    texts = dict[tuple[str, bool], None]()
    for values in samples:
        with suppress(TemplateError, ArithmeticError, LookupError, TypeError, ValueError):
            texts[render(source, values), bool(values.get("formal"))] = None
    return [remark for text, formal in texts for remark in _lint(text, rules, formal)]


def _of_pattern(text: str, rules: Guidelines, formal: bool) -> list[Remark]:
    """A label of a word or two ("Send") addresses nobody."""
    with suppress(LookupError, ValueError):
        remarks = _lint(text.format_map(_SITE_SAMPLES), rules, formal)
        label = len(text.split()) <= _LABEL_WORDS
        return [remark for remark in remarks if not label or remark.rule != "formality"]
    return []


def _lint(text: str, rules: Guidelines, formal: bool) -> list[Remark]:
    return list(lint(text, rules, channel="", public=True, role="care", formal=formal))


def _told(files: Files, name: str, line: int, source: str, remarks: Sequence[Remark]) -> None:
    for remark in dict.fromkeys((one.rule, one.level, one.text, one.suggestion) for one in remarks):
        rule, level, said, suggestion = remark
        at = source.find(said)
        number = line or (source.count("\n", 0, at) + 1 if at >= 0 else 1)
        told = Line(
            number,
            f"{said!r} is against {rule!r} of the guidelines; write e.g. {suggestion or 'it otherwise'}",
        )
        (files.wrong if level == "block" else files.warn)(name, [told])


def contacts(guidelines: Mapping[str, Guidelines]) -> tuple[str, ...]:
    """What the company itself may be reached by: nobody's personal data."""
    return tuple(sorted({contact for rules in guidelines.values() for contact in rules.ours.contacts}))
