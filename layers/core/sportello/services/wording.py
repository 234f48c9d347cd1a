"""From facts to words: posted hours, openings, replies and notifications, in the desk's languages.

Only the sender and the notifier import this: it loads Jinja. What can be said stands in
``templates/``; customers' words enter a text as values and are never read as a template.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sportello.domain.desk import Desk
from sportello.domain.hours_words import CalendarWords as CalendarWords
from sportello.domain.hours_words import opening_in_words as opening_in_words
from sportello.domain.hours_words import posted_hours as posted_hours
from sportello.domain.message import Message
from sportello.domain.model import Instant, Model
from sportello.domain.site import SiteWords


class NotificationTexts(Model):
    """What people of the desk are told when they are called, in the desk's default language."""

    title: str
    """Jinja: ``desk``, ``customer``, ``channel``, ``reasons``."""
    answer: str
    """Jinja: how to answer; ``desk``, ``thread``."""
    labels: Mapping[str, str]
    reasons: Mapping[str, str]
    """By the codes of ``domain.reasons.CALLS``."""
    channels: Mapping[str, str]
    nothing_said: str
    """Stands for a message without text."""


class Texts(Model):
    """Everything that is put into words, by language: ``texts.json`` of the layer."""

    replies: Mapping[str, Mapping[str, str]]
    """Jinja texts by the names of ``domain.decision.Text``."""
    calendar: Mapping[str, CalendarWords]
    notifications: Mapping[str, NotificationTexts]
    site: Mapping[str, SiteWords] = {}
    """What the chat on the site says around the conversation."""


LABELS = ("customer", "channel", "said", "reason", "since", "thread")
REPLY_VALUES = ("desk", "formal", "hours", "next_opening")
TITLE_VALUES = ("channel", "customer", "desk", "reasons")
ANSWER_VALUES = ("desk", "thread")


class Notice(NamedTuple):
    """An escalation in words; plain text, to be escaped for where it is shown."""

    title: str
    lines: tuple[tuple[str, str], ...]
    """Label and value."""
    answer: str

    @property
    def text(self) -> str:
        lines = "\n".join(f"{label}: {value}" for label, value in self.lines)
        return f"{self.title}\n\n{lines}\n\n{self.answer}"


class Wording:
    """Says things for one desk."""

    def __init__(self, desk: Desk, texts: Texts) -> None:
        self._desk = desk
        self._texts = texts

    def say(
        self, name: str, language: str, at: Instant, *, opening: Instant | None = None, **values: Any
    ) -> str:
        """A reply in the customer's language, or else the desk's.

        Args:
            name: one of ``domain.decision.Text``.
            at: when it is said; hours and "tomorrow" are meant from then.
            opening: the opening to name; by default the next one.
        """
        language = self.language(language)
        words = self._texts.calendar[language]
        calendar = self._desk.calendar
        opening = calendar.next_opening(at) if opening is None else opening
        given = {
            "desk": self._desk.name,
            "formal": self._desk.formal,
            "hours": posted_hours(calendar, at, words, lambda day: self._desk.name_of(day, language)),
            "next_opening": ""
            if opening is None
            else opening_in_words(opening, at, self._desk.time_zone, words),
        }
        return render(self._texts.replies[language][name], {**given, **values})

    def notify(
        self,
        at: Instant,
        *,
        customer: str,
        channel: str,
        said: str,
        reasons: Sequence[str],
        since: Instant,
        thread: str,
    ) -> Notice:
        """A call for people, in the desk's default language.

        Args:
            customer: the display name, or what else names them.
            channel: name of the channel's module, e.g. ``whatsapp``.
            said: the customer's words; may be empty.
            reasons: codes of ``domain.reasons.CALLS``; an unknown one is shown as it is.
            since: from when on they have been waiting.
        """
        language = self._desk.default_language
        texts, words = self._texts.notifications[language], self._texts.calendar[language]
        why = ", ".join(texts.reasons.get(reason, reason) for reason in reasons)
        shown = {
            "customer": customer,
            "channel": texts.channels.get(channel, channel),
            "said": said or texts.nothing_said,
            "reason": why,
            "since": opening_in_words(since, at, self._desk.time_zone, words),
            "thread": thread,
        }
        title = {name: shown[name] for name in ("customer", "channel")}
        return Notice(
            title=_one_line(render(texts.title, {"desk": self._desk.name, "reasons": why, **title})),
            lines=tuple((texts.labels[name], shown[name]) for name in LABELS),
            answer=render(texts.answer, {"desk": self._desk.name, "thread": thread}),
        )

    def conversation(self, shown: Sequence[Message], language: str, at: Instant) -> tuple[str, str]:
        """Subject and text of a mail that carries what was said on the site so far.

        Args:
            shown: what its visitor sees of it, the oldest first.
        """
        language = self.language(language)
        words, calendar = self._texts.site[language], self._texts.calendar[language]
        said = [
            words.mail_line.format(
                who=self._desk.name if message.direction == "out" else words.you,
                when=opening_in_words(message.time, at, self._desk.time_zone, calendar),
                text=_said(message, words),
            )
            for message in shown
        ]
        intro = words.mail_intro.format(desk=self._desk.name)
        return words.mail_subject.format(desk=self._desk.name), "\n\n".join([intro, *said])

    def language(self, asked: str) -> str:
        """The language in which a text can be said: the asked one (``it-CH`` is ``it``) or the desk's."""
        code = asked.lower().replace("_", "-").split("-")[0]
        return code if code in self._texts.replies else self._desk.default_language


def render(template: str, values: Mapping[str, Any]) -> str:
    """A text with its placeholders filled in; an unknown placeholder is an error (jinja2)."""
    return _compiled(template).render(values).strip()


def environment() -> ImmutableSandboxedEnvironment:
    """Jinja as the templates see it: plain text, nothing to call or change."""
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # messages are plain text, not HTML
    )


@lru_cache(maxsize=128)
def _compiled(template: str) -> Template:
    return environment().from_string(template)


CARRIED_MOST = 2_000
"""Characters of one message in a mail."""


def _said(message: Message, words: SiteWords) -> str:
    if message.deleted:
        return words.deleted
    files = [f"[{media.name or media.kind}]" for media in message.media]
    return "\n".join(part for part in (message.text[:CARRIED_MOST], *files) if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())
