"""From facts to words: posted hours, openings, replies and notifications, in the desk's languages.

Only the sender and the notifier import this: it loads Jinja. What can be said stands in
``templates/``; customers' words enter a text as values and are never read as a template.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sportello.domain.desk import Desk
from sportello.domain.directory import DirectoryWords, Way
from sportello.domain.hours_words import CalendarWords as CalendarWords
from sportello.domain.hours_words import opening_in_words as opening_in_words
from sportello.domain.hours_words import posted_hours as posted_hours
from sportello.domain.hours_words import state_in_words, state_of
from sportello.domain.message import Message
from sportello.domain.model import Instant, Model
from sportello.domain.site import SiteWords
from sportello.services.notice_words import LABELS, Notice, NotificationTexts


class Texts(Model):
    """Everything that is put into words, by language: ``texts.json`` of the layer."""

    replies: Mapping[str, Mapping[str, str]]
    """Jinja texts by the names of ``domain.decision.Text``; a channel's own by ``channel/name``."""
    buttons: Mapping[str, Mapping[str, str]] = {}
    """Titles of the buttons ``yes`` and ``no`` below the answer to a frequent question."""
    calendar: Mapping[str, CalendarWords]
    notifications: Mapping[str, NotificationTexts]
    site: Mapping[str, SiteWords] = {}
    """What the chat on the site says around the conversation."""
    directory: Mapping[str, DirectoryWords] = {}
    """What the public page of hours says."""
    ways: tuple[Way, ...] = ()
    """The ways in that it shows."""


BUTTONS = ("yes", "no")
_OF_HOURS = ("desk", "formal", "hours", "next_opening")
REPLY_VALUES: Mapping[str, tuple[str, ...]] = {
    "closed": _OF_HOURS,
    "closing": _OF_HOURS,
    "on_it": (*_OF_HOURS, "promise"),
    "person_asked_open": _OF_HOURS,
    "person_asked_closed": _OF_HOURS,
    "chased": (*_OF_HOURS, "promise"),
    "sorry": _OF_HOURS,
    "faq": (*_OF_HOURS, "answer", "buttons"),
    "faq_yes": _OF_HOURS,
    "faq_no": (*_OF_HOURS, "promise"),
    "order": (*_OF_HOURS, "order", "status", "expected", "link"),
    "order_proof": _OF_HOURS,
    "ask": (*_OF_HOURS, "question"),
    "to_care": (*_OF_HOURS, "link"),
    "public_ack": ("desk", "formal"),
    "public_delete": ("desk", "formal"),
    "private_open": _OF_HOURS,
}
"""The texts of ``domain.decision.Text``, and which placeholders each of them may have."""


class Wording:
    """Says things for one desk."""

    def __init__(self, desk: Desk, texts: Texts) -> None:
        self._desk = desk
        self._texts = texts

    def say(
        self,
        name: str,
        language: str,
        at: Instant,
        *,
        channel: str = "",
        account: str = "",
        team: str = "",
        opening: Instant | None = None,
        promise: Instant | None = None,
        **values: Any,
    ) -> str:
        """A reply in the customer's language, or else the desk's; in the channel's own words if it has any.

        Args:
            name: one of ``domain.decision.Text``.
            at: when it is said; hours and "tomorrow" are meant from then.
            channel: with ``account`` and ``team``, where it is said: whose hours are meant.
            opening: the opening to name; by default the next one, and none while the desk is open.
            promise: by when the text says that an answer comes.
            values: what else the text tells (``REPLY_VALUES``); what is not given is empty.

        Raises:
            TypeError: the text has no such placeholder.
        """
        language = self.language(language)
        words = self._texts.calendar[language]
        calendar = self._desk.calendar_of(channel, account, team)
        opening = state_of(calendar, at).opens_at if opening is None else opening
        given = {
            **dict.fromkeys(REPLY_VALUES[name], ""),
            "desk": self._desk.name,
            "formal": self._desk.formal,
            "hours": posted_hours(calendar, at, words, lambda day: self._desk.name_of(day, language)),
            "next_opening": self._when(opening, at, words),
            "promise": self._when(promise, at, words),
        }
        if unknown := values.keys() - set(REPLY_VALUES[name]):
            raise TypeError(f"the text {name!r} has no placeholder {', '.join(sorted(unknown))}")
        texts = self._texts.replies[language]
        return render(texts.get(f"{channel}/{name}") or texts[name], {**given, **values})

    def answer(
        self, source: str, language: str, at: Instant, *, channel: str = "", account: str = "", team: str = ""
    ) -> str:
        """The answer to a frequent question (Jinja) as it is true now and there."""
        words = self._texts.calendar[language]
        calendar = self._desk.calendar_of(channel, account, team)
        return render(
            source,
            {
                "desk": self._desk.name,
                "formal": self._desk.formal,
                "hours": posted_hours(calendar, at, words, lambda day: self._desk.name_of(day, language)),
                "next_opening": self._when(state_of(calendar, at).opens_at, at, words),
            },
        )

    def buttons(self, language: str) -> Mapping[str, str]:
        """Titles of the buttons ``yes`` and ``no``, in a language in which texts are said."""
        return self._texts.buttons[self.language(language)]

    def _when(self, moment: Instant | None, at: Instant, words: CalendarWords) -> str:
        return "" if moment is None else opening_in_words(moment, at, self._desk.time_zone, words)

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
        account: str = "",
        team: str = "",
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> Notice:
        """A call for people, in the desk's default language.

        Args:
            customer: the display name, or what else names them.
            channel: name of the channel's module, e.g. ``whatsapp``.
            said: the customer's words; may be empty.
            reasons: codes of ``domain.reasons.CALLS``; an unknown one is shown as it is.
            since: from when on they have been waiting.
            account: with ``channel`` and ``team``, where they wrote: whose hours are told.
            more: further lines in words, by their label.
        """
        texts, words = self.told, self._texts.calendar[self._desk.default_language]
        state = state_of(self._desk.calendar_of(channel, account, team), at)
        why = ", ".join(texts.reasons.get(reason, reason) for reason in reasons)
        shown = {
            "customer": customer,
            "channel": texts.channels.get(channel, channel),
            "said": said or texts.nothing_said,
            "reason": why,
            "since": self.moment(since, at),
            "hours": state_in_words(state, at, self._desk.time_zone, words),
            "thread": thread,
            **more,
        }
        title = {name: shown[name] for name in ("customer", "channel")}
        return Notice(
            title=one_line(render(texts.title, {"desk": self._desk.name, "reasons": why, **title})),
            lines=tuple((texts.labels[name], shown[name]) for name in LABELS if shown.get(name)),
            answer=render(texts.answer, {"desk": self._desk.name, "thread": thread}),
            take=texts.take,
        )

    @property
    def told(self) -> NotificationTexts:
        """In which people of the desk are told."""
        return self._texts.notifications[self._desk.default_language]

    def moment(self, moment: Instant, at: Instant, language: str = "") -> str:
        """A time as people say it, meant from ``at``; in the desk's default language, or another of its."""
        words = self._texts.calendar[language or self._desk.default_language]
        return opening_in_words(moment, at, self._desk.time_zone, words)

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


def one_line(text: str) -> str:
    return " ".join(text.split())
