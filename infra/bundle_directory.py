"""The public page: ``templates/directory/`` and the ways in that ``desk.yaml`` lists under ``directory``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field

from infra.cli.channels import channel_names
from infra.model_mistakes import did_you_mean, parse
from infra.template_files import Files
from infra.text_mistakes import pattern_mistake
from infra.yaml_with_lines import Document, Line
from sportello.domain.desk import Desk
from sportello.domain.directory import DirectoryWords, Way
from sportello.domain.model import Model

KEY = "directory"
"""In ``desk.yaml``; no part of the desk's model, so that webhooks need not read it."""
SCHEMES = {
    "https": "https://wa.me/390600000000",
    "mailto": "mailto:care@example.com",
    "tel": "tel:+390600000000",
    "sms": "sms:+390600000000",
    "viber": "viber://pa?chatURI=care",
    "tg": "tg://resolve?domain=care",
    "weixin": "weixin://dl/business/?t=care",
    "line": "line://ti/p/@care",
}
"""What a link may begin with, and an example of each."""
_EXAMPLE = "directory: [{channel: whatsapp, link: https://wa.me/390600000000}]"
_EXAMPLES = {
    "directory": _EXAMPLE,
    "channel": "channel: whatsapp",
    "link": "link: https://wa.me/390600000000",
    "account": "account: '390600000000'",
    "name": "name: {it: WhatsApp del negozio, en: The shop's WhatsApp}",
}
_VALUES = {"closes": {"closing"}, "opens": {"opening"}, "zone": {"zone"}}
_WORDS_EXAMPLES = {name: f"{name}: a few words" for name in DirectoryWords.model_fields} | {
    "closes": 'closes: "We close {closing}"',
    "opens": 'opens: "We open {opening}"',
    "zone": 'zone: "Times are those of {zone}."',
    "own_name": "own_name: English",
    "channels": "channels: {whatsapp: WhatsApp}",
    "teams": "teams: {returns: Returns}",
}


class _Listed(Model):
    """The part of ``desk.yaml`` that is read here."""

    directory: tuple[Way, ...] = Field(default=())


def ways_in(document: Document, desk: Desk | None) -> tuple[tuple[Way, ...], list[Line]]:
    """The ways in, in the care lead's order, and what is wrong with them."""
    given = document.data.get(KEY)
    if given is None:
        return (), []
    listed, lines = parse(document, _Listed, _EXAMPLES, {KEY: given})
    if listed is None:
        return (), lines
    for index, way in enumerate(listed.directory):
        lines += _of_way(_Found(document, index, desk), way)
    return listed.directory, lines


def directory_words(
    files: Files, language: str, desk: Desk | None, given: Sequence[Way]
) -> DirectoryWords | None:
    name = f"directory/{language}.yaml"
    document = files.yaml(name, "title: Hours and contacts")
    if document is None:
        return None
    words, lines = parse(document, DirectoryWords, _WORDS_EXAMPLES)
    for key, value in document.data.items():
        if not isinstance(value, str):
            continue
        if not value.strip():
            lines.append(Line(document.line((key,)), f"{key!r} is empty; write e.g. {_WORDS_EXAMPLES[key]}"))
        elif wrong := pattern_mistake(value, _VALUES.get(key, set()), set()):
            lines.append(Line(document.line((key,)), f"{key}: {wrong}"))
    if words is not None:
        lines += _of_names(document, words, desk, given)
    files.wrong(name, lines)
    return words


def _of_names(
    document: Document, words: DirectoryWords, desk: Desk | None, given: Sequence[Way]
) -> Iterator[Line]:
    channels = channel_names()
    for channel in dict.fromkeys([*(way.channel for way in given), *(desk.channels if desk else ())]):
        if channel in channels and not words.channels.get(channel, "").strip():
            text = f"channels lacks {channel!r}; write e.g. {channel}: {channel.title()}"
            yield Line(document.line(("channels",)), text)
    for team in words.teams if desk else ():
        if desk is not None and team not in desk.teams:
            known = f"{did_you_mean(team, desk.teams)}; known: {', '.join(desk.teams)}"
            yield Line(document.line(("teams", team)), f"{team!r} is no team of this desk{known}")


class _Found(NamedTuple):
    """Where a way stands in the file."""

    document: Document
    number: int
    desk: Desk | None

    def line(self, key: str, text: str) -> Line:
        return Line(self.document.line((KEY, self.number, key)), f"{text}; write e.g. {_EXAMPLES[key]}")


def _of_way(found: _Found, way: Way) -> Iterator[Line]:
    known = channel_names()
    if way.channel not in known:
        text = f"{way.channel!r} is no channel{did_you_mean(way.channel, known)}; known: {', '.join(known)}"
        yield Line(found.document.line((KEY, found.number, "channel")), text)
    if wrong := link_mistake(way.link):
        yield Line(found.document.line((KEY, found.number, "link")), wrong)
    if found.desk is None:
        return
    if way.account and found.desk.account(way.channel, way.account) is None:
        text = (
            f"accounts has no {way.channel} {way.account!r}: only accounts with hours of their own are named"
        )
        yield found.line("account", text)
    lacking = [language for language in found.desk.languages if not way.name.get(language, "").strip()]
    if way.name and lacking:
        yield found.line("name", f"the name is missing in {lacking[0]!r}")


def link_mistake(link: str) -> str:
    """What is wrong with a link; empty: nothing."""
    examples = ", ".join(SCHEMES.values())
    if re.search(r"[\s\x00-\x1f\x7f\\\"<>`]", link) or not link.isascii():
        return f"{link!r} holds a sign that no link has; write e.g. {SCHEMES['https']}"
    try:
        parts = urlsplit(link)
    except ValueError:
        return f"{link!r} is no link; write e.g. {SCHEMES['https']}"
    if parts.scheme.lower() not in SCHEMES:
        return f"{link!r} is no link that a page may hold; write e.g. {examples}"
    example = _RIGHT_FORM.get(parts.scheme.lower())
    if example and not re.fullmatch(example, link, re.IGNORECASE):
        return f"{link!r} is not in the right form; write e.g. {SCHEMES[parts.scheme.lower()]}"
    if parts.hostname == "wa.me" and not re.fullmatch(r"/(\d{6,15}|message/\w+)", parts.path):
        return (
            f"{link!r}: wa.me takes the number alone, without + and 0 before; write e.g. {SCHEMES['https']}"
        )
    return ""


_RIGHT_FORM: Mapping[str, str] = {
    "https": r"https://[^/@?#.]+(\.[^/@?#.]+)+([/?#].*)?",
    "mailto": r"mailto:[^@?]+@[^@?]+\.[^@?]+(\?.*)?",
    "tel": r"tel:\+?[0-9().-]{3,20}",
    "sms": r"sms:\+?[0-9]{3,15}([?&].*)?",
}


def without_ways(data: Mapping[str, Any]) -> dict[str, Any]:
    """What of ``desk.yaml`` is the desk's own."""
    return {key: value for key, value in data.items() if key != KEY}
