"""The frequent questions as a care lead wrote them in ``templates/faq/``: ``faq.json`` of the layer.

The consult worker (which asks them), the sender (which says the answer) and the command line load
this; webhooks only know whether a message may be one (``domain.faq_words``).
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from sportello.domain.model import Model

EntryId = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,24}$")]
LONGEST_LABEL = 20
"""Characters of a button: what the narrowest channel shows (WhatsApp)."""
MOST_BUTTONS = 3
ANSWER_VALUES = ("desk", "formal", "hours", "next_opening")
"""What an answer may hold in place of words: as replies do."""


class FaqEntry(Model):
    """One question and its one answer."""

    id: EntryId
    """The same in every language."""
    questions: tuple[str, ...] = Field(min_length=1)
    """Wordings by which it is asked."""
    answer: str = Field(min_length=1)
    """Jinja, with ``ANSWER_VALUES``."""
    buttons: Mapping[Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)], EntryId] = Field(
        default={}, max_length=MOST_BUTTONS
    )
    """What may be asked next: label and id of another entry."""
    valid_from: date | None = None
    """First day on which it is answered, on the desk's clocks."""
    valid_to: date | None = None
    """Last day."""
    channels: tuple[str, ...] = ()
    """Empty: every channel."""
    accounts: tuple[str, ...] = ()
    """Empty: every account."""
    topic: str = Field(default="", pattern=r"^[a-z0-9_]{0,16}$")
    """Skill of who takes it over if the answer did not help."""
    private: bool = False
    """Never answered where others read it."""

    def open_to(self, day: date, channel: str, account: str) -> bool:
        """Whether it is answered on this day, on this channel, by this account."""
        begun = self.valid_from is None or self.valid_from <= day
        ended = self.valid_to is not None and self.valid_to < day
        here = not self.channels or channel in self.channels
        return begun and not ended and here and (not self.accounts or account in self.accounts)


class FaqLocale(Model):
    """The questions of one language and what is known of its words."""

    entries: tuple[FaqEntry, ...] = Field(min_length=1)
    same_words: tuple[tuple[str, ...], ...] = ()
    """Words and expressions that mean the same; the first stands for all."""
    fillers: tuple[str, ...] = ()
    """Words that say nothing of what is asked: greetings, articles, politeness."""
    asks: tuple[str, ...] = ()
    """Words by which a message is seen to ask; one without, and without "?", is none. Empty: all ask."""
    hand_on: tuple[str, ...] = ()
    """Words that show a case of one's own, a complaint or urgency: a person answers."""

    def entry(self, entry_id: str) -> FaqEntry | None:
        return next((entry for entry in self.entries if entry.id == entry_id), None)


class Faq(Model):
    """All languages, and who answers."""

    locales: Mapping[str, FaqLocale] = {}
    answerer: Literal["lexical", "bedrock"] = "lexical"
    model: str = ""
    """Of Bedrock: id of a model or inference profile."""
    region: str = ""
    """Of Bedrock; empty: the stack's own."""

    def entry(self, language: str, entry_id: str) -> FaqEntry | None:
        locale = self.locales.get(language)
        return locale.entry(entry_id) if locale else None
