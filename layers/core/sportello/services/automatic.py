"""An automatic reply in words, when it is sent: its text, and the buttons below it."""

from sportello.channels.base import Channel
from sportello.domain.desk import Desk
from sportello.domain.faq import FaqEntry
from sportello.domain.message import Message
from sportello.domain.model import Instant
from sportello.domain.offers import FOLLOW_UP, NO, YES
from sportello.domain.outbound import Button
from sportello.domain.qualify import text_of
from sportello.domain.thread import Thread
from sportello.services.desk import current_faq
from sportello.services.wording import Wording

MOST_BUTTONS = 3


class Gone(Exception):
    """What was to be said is no longer in the desk's files."""


def text(desk: Desk, wording: Wording, thread: Thread, row: Message, channel: Channel, now: Instant) -> str:
    """The words of a row that names a text; raises ``Gone``."""
    values: dict[str, object] = dict(row.values)
    language = wording.language(row.language)
    if entry_id := row.values.get("entry"):
        del values["entry"]
        values["answer"] = wording.answer(
            _entry(language, entry_id).answer,
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


def _entry(language: str, entry_id: str) -> FaqEntry:
    entry = current_faq().entry(language, entry_id)
    if entry is None:
        raise Gone
    return entry
