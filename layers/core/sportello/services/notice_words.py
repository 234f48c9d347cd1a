"""The words in which people of the desk are told: ``templates/notifications/<locale>/``."""

from collections.abc import Mapping
from typing import NamedTuple

from sportello.domain.model import Model


class ConsoleWords(Model):
    """The page on which somebody takes a conversation: ``console.yaml``. Patterns name their placeholders."""

    title: str
    nobody_has_it: str
    has_it: str
    """``{who}``, ``{when}``"""
    has_it_now: str
    """``{who}``"""
    take: str
    take_over: str
    """``{who}``"""
    choose: str
    other_name: str
    name_hint: str
    name_wrong: str
    was_quicker: str
    """``{who}``"""
    answered: str
    incident: str
    """``{count}``"""
    incident_taken: str
    how_to_answer: str
    gone: str
    gone_hint: str
    refused: str
    busy: str


class NotificationTexts(Model):
    """What people of the desk are told when they are called, in the desk's default language."""

    title: str
    """Jinja: ``desk``, ``customer``, ``channel``, ``reasons``."""
    answer: str
    """Jinja: how to answer; ``desk``, ``thread``."""
    digest: str
    """Jinja: title of what waited for the opening; ``desk``, ``team``, ``conversations``."""
    incident: str
    """Jinja: title; ``desk``, ``team``, ``conversations``, ``minutes``, ``what``, ``public``, ``news``."""
    labels: Mapping[str, str]
    reasons: Mapping[str, str]
    """By the codes of ``domain.reasons.CALLS``."""
    playbook: Mapping[str, str] = {}
    """What helps, by the same codes; a reason may do without."""
    deadlines: Mapping[str, str]
    """``first``, ``full``, ``promise``"""
    waves: Mapping[str, str]
    """What the conversations of an incident have in common, by ``domain.incidents.CLASSES``."""
    channels: Mapping[str, str]
    nothing_said: str
    """Stands for a message without text."""
    take: str
    """The button of a notice."""
    more: str
    """``{count}``: what a digest does not show."""
    nobody_on_call: str
    console: ConsoleWords


LABELS = (
    "customer", "channel", "language", "tier", "team", "said", "reason", "since", "due", "known", "helps",
    "hours", "thread",
)  # fmt: skip
"""In the order in which they are shown."""
TITLE_VALUES = ("channel", "customer", "desk", "reasons")
ANSWER_VALUES = ("desk", "thread")
DIGEST_VALUES = ("conversations", "desk", "team")
INCIDENT_VALUES = ("conversations", "desk", "minutes", "news", "public", "team", "what")
DEADLINES = ("first", "full", "promise")
CONSOLE_VALUES: Mapping[str, frozenset[str]] = {
    "has_it": frozenset({"who", "when"}),
    "has_it_now": frozenset({"who"}),
    "take_over": frozenset({"who"}),
    "was_quicker": frozenset({"who"}),
    "incident": frozenset({"count"}),
}


class Item(NamedTuple):
    """One of several conversations in a notice."""

    text: str
    link: str = ""


class Notice(NamedTuple):
    """An escalation in words; plain text, to be escaped for where it is shown."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """Label and value."""
    answer: str = ""
    take: str = ""
    """What the button says."""
    link: str = ""
    """Where it leads; empty: there is none."""
    items: tuple[Item, ...] = ()
    foot: str = ""

    @property
    def text(self) -> str:
        """As a mail says it."""
        lines = "\n".join(f"{label}: {value}" for label, value in self.lines)
        items = "\n\n".join(
            f"- {item.text}" + (f"\n  {item.link}" if item.link else "") for item in self.items
        )
        link = f"{self.take}: {self.link}" if self.link else ""
        parts = (self.title, lines, items, self.foot, link, self.answer)
        return "\n\n".join(part for part in parts if part)
