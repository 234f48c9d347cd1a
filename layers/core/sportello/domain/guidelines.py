"""One voice: what the company says in its files about how it writes, and what a text does against it.

``templates/guidelines/<language>.yaml`` holds rules of official accounts; care accounts inherit them and
say only what is different; each can differ by channel. Used by who writes or builds: reply, command
line, build. Webhooks never load it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from sportello.domain.model import Model

Level = Literal["block", "warn", "info", "off"]
Role = Literal["official", "care"]


class Remark(NamedTuple):
    rule: str
    """Key of the rule in the file, e.g. ``promise``."""
    level: Literal["block", "warn", "info"]
    start: int
    end: int
    text: str
    """What is meant, as it stands: ``whole[start:end]``."""
    suggestion: str
    """What to write instead, or what to do; may be empty."""
    may_override: bool = False
    """A person may send it despite the block."""


class Rule(Model):
    """What every rule can say; None: not said here, so the rules it inherits from hold."""

    level: Level | None = None
    may_override: bool | None = None
    suggest: str | None = None
    """Shown with the remark."""


class Formality(Rule):
    use: Literal["desk", "formal", "informal", "any"] | None = None
    """``desk``: as ``formal`` of desk.yaml says."""


class Words(Rule):
    say: tuple[str, ...] | None = None
    """Phrases: whole words, any case; ``*`` ends a word's beginning, ``...`` is up to four words."""
    also: tuple[str, ...] = ()
    """Added to what is inherited."""
    unless: tuple[str, ...] | None = None
    """Phrases that make it harmless, e.g. ``non possiamo garantire``."""


class Replaced(Rule):
    words: Mapping[str, str] | None = None
    """A phrase and what to say instead; empty: nothing."""
    also: Mapping[str, str] = {}


class Length(Rule):
    most: int | None = Field(default=None, ge=1)
    """Characters."""


class Shouting(Rule):
    letters: int | None = Field(default=None, ge=2)
    """A single word in capitals shouts from so many letters on; two together from three."""
    marks: int | None = Field(default=None, ge=2)
    """So many ``!`` and ``?`` in a row shout."""
    allow: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()


class Emoji(Rule):
    most: int | None = Field(default=None, ge=0)
    formal: int | None = Field(default=None, ge=0)
    """At most so many where customers are addressed formally."""
    banned: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()


class Rules(Model):
    formality: Formality = Formality()
    mixed_address: Rule = Rule()
    banned: Replaced = Replaced()
    preferred: Replaced = Replaced()
    promise: Words = Words()
    dead_end: Words = Words()
    length: Length = Length()
    shouting: Shouting = Shouting()
    emoji: Emoji = Emoji()
    placeholder: Rule = Rule()
    personal_data: Rule = Rule()
    internal: Words = Words()


class Voice(Rules):
    channels: Mapping[str, Rules] = {}
    """What differs there."""


class Ours(Model):
    """``templates/guidelines/ours.yaml``: what is the company's own, in every language."""

    contacts: tuple[str, ...] = ()
    """Addresses, numbers and handles that everybody may read."""
    handles: tuple[str, ...] = ()
    """Of colleagues."""
    teams: tuple[str, ...] = ()
    """As colleagues call them."""
    trackers: tuple[str, ...] = ("JIRA",)
    """What the numbers of internal tickets begin with: ``JIRA`` is ``JIRA-123``."""
    hosts: tuple[str, ...] = ()
    """Internal hosts, e.g. ``wiki.example.com``."""


class Guidelines(Model):
    """The rules of one language."""

    language: str
    official: Voice = Voice()
    care: Voice = Voice()
    ours: Ours = Ours()


DEFAULTS = Rules(
    formality=Formality(level="warn", use="desk"),
    mixed_address=Rule(level="block", may_override=True),
    banned=Replaced(level="warn", words={}),
    preferred=Replaced(level="info", words={}),
    promise=Words(level="block", may_override=True, say=(), unless=()),
    dead_end=Words(level="block", may_override=True, say=(), unless=()),
    length=Length(level="warn"),
    shouting=Shouting(level="warn", letters=6, marks=3, allow=()),
    emoji=Emoji(level="warn", most=3, formal=1, banned=()),
    placeholder=Rule(level="block", may_override=True),
    personal_data=Rule(level="block", may_override=False),
    internal=Words(level="block", may_override=True, say=(), unless=()),
)
"""What holds where no file says anything."""


def rules_for(guidelines: Guidelines, channel: str, role: Role) -> Rules:
    """What holds on a channel: the defaults, official's, official's of the channel, then care's likewise."""
    voices = (guidelines.official,) if role == "official" else (guidelines.official, guidelines.care)
    layers: list[Rules] = [DEFAULTS]
    for voice in voices:
        layers += [voice, voice.channels.get(channel, Rules())]
    return Rules.model_validate(
        {name: _merged(getattr(layer, name) for layer in layers) for name in Rules.model_fields}
    )


def _merged(rules: Iterable[Rule]) -> dict[str, Any]:
    """What is said later replaces what was said before; ``also`` adds to the list that stands."""
    merged: dict[str, Any] = {}
    for rule in rules:
        for field in rule.model_fields_set - {"also"}:
            if (value := getattr(rule, field)) is not None:
                merged[field] = value
        if more := getattr(rule, "also", ()):
            whole = _list_of(rule)
            merged[whole] = (
                {**merged[whole], **more} if isinstance(more, Mapping) else (*merged[whole], *more)
            )
    return merged


def _list_of(rule: Rule) -> str:
    match rule:
        case Replaced():
            return "words"
        case Shouting():
            return "allow"
        case Emoji():
            return "banned"
        case _:
            return "say"


def lint(
    text: str,
    guidelines: Guidelines,
    *,
    channel: str,
    public: bool,
    role: Role,
    formal: bool,
    order_patterns: Sequence[str] = (),
    limit: int | None = None,
) -> tuple[Remark, ...]:
    """What the text does against the guidelines, in its order.

    Args:
        public: everybody reads it.
        formal: as the desk addresses its customers.
        order_patterns: regular expressions of the desk's order numbers.
        limit: characters that the channel takes; more is always a block.
    """
    from sportello.domain.guideline_checks import CHECKS, Asked

    rules = rules_for(guidelines, channel, role)
    asked = Asked(text, rules, guidelines, channel, public, formal, tuple(order_patterns), limit)
    remarks = list[Remark]()
    for name, check in CHECKS.items():
        rule: Rule = getattr(rules, name)
        if rule.level is None or rule.level == "off":
            continue
        for start, end, suggestion in check(asked):
            remarks.append(
                Remark(
                    name,
                    rule.level,
                    start,
                    end,
                    text[start:end],
                    suggestion or rule.suggest or "",
                    bool(rule.may_override),
                )
            )
    return tuple(sorted(remarks, key=lambda remark: (remark.start, remark.end, remark.rule)))
