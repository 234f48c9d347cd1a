"""An automatic reply when it is sent: whether it still is wanted, its words, and the buttons below it."""

from sportello.channels.base import Channel
from sportello.domain.desk import Desk
from sportello.domain.faq import Faq, FaqEntry
from sportello.domain.message import Message
from sportello.domain.model import Instant
from sportello.domain.offers import FOLLOW_UP, NO, YES
from sportello.domain.outbound import Button
from sportello.domain.qualify import text_of
from sportello.domain.thread import Thread
from sportello.services import guidelines
from sportello.services.desk import current_faq
from sportello.services.wording import Wording

MOST_BUTTONS = 3


AFTER_DEBT = ("faq_yes",)
"""Texts that are said once nothing is owed any more."""


class Gone(Exception):
    """What was to be said is no longer in the desk's files."""


def overtaken(thread: Thread, row: Message, now: Instant) -> str:
    """Why an automatic reply is no longer wanted; empty: it is, or a person wrote it."""
    if row.author != "automatic" or row.act == "hide":
        return ""
    if row.not_after is not None and now >= row.not_after:
        return "expired"
    if thread.person_present(now) or not (thread.owes or row.say in AFTER_DEBT):
        return "person_answered"
    return ""


def exposes(desk: Desk, thread: Thread, row: Message, said: str) -> bool:
    """Our own automatic voice never shows anybody's data in public."""
    by_us = row.author == "automatic" and thread.public and row.act == "reply"
    return by_us and not guidelines.safe_in_public(said, desk)


def text(
    desk: Desk,
    wording: Wording,
    thread: Thread,
    row: Message,
    channel: Channel,
    now: Instant,
    faq: Faq | None = None,
) -> str:
    """The words of a row that names a text; raises ``Gone``.

    Args:
        faq: where other frequent questions than the desk's current ones are tried.
    """
    values: dict[str, object] = dict(row.values)
    language = wording.language(row.language)
    if entry_id := row.values.get("entry"):
        del values["entry"]
        values["answer"] = wording.answer(
            _entry(language, entry_id, faq).answer,
            language,
            now,
            channel=thread.channel,
            account=thread.account,
            team=thread.team,
        )
        values["buttons"] = row.yes_no and channel.shows_buttons
    if field := row.values.get("field"):
        del values["field"]
        values["question"] = text_of(desk, field, language) or text_of(desk, field, "")
    return wording.say(
        row.say,
        language,
        now,
        channel=thread.channel,
        account=thread.account,
        team=thread.team,
        opening=row.until,
        promise=row.promise,
        **values,
    )


def buttons(wording: Wording, row: Message, channel: Channel) -> tuple[Button, ...]:
    """Yes and no, and where an entry leads on to others, the first of those."""
    if not (row.yes_no and channel.shows_buttons):
        return row.buttons
    language = wording.language(row.language)
    titles = wording.buttons(language)
    asked = (Button(id=YES, title=titles["yes"]), Button(id=NO, title=titles["no"]))
    more = _entry(language, row.values["entry"]).buttons if "entry" in row.values else {}
    further = tuple(Button(id=f"{FOLLOW_UP}{entry}", title=label) for label, entry in more.items())
    return (*asked, *further)[:MOST_BUTTONS]


def _entry(language: str, entry_id: str, faq: Faq | None = None) -> FaqEntry:
    entry = (faq or current_faq()).entry(language, entry_id)
    if entry is None:
        raise Gone
    return entry
