"""Why: a code for every outcome of a decision, shown by ``sportello thread``."""

from enum import StrEnum


class Reason(StrEnum):
    # an inbound message
    OWES = "owes"
    """It asks for an answer: the debt begins."""
    STILL_OWES = "still_owes"
    """It asks for an answer and the thread already owed one."""
    REACTION = "reaction"
    STARTED = "started"
    SERVICE_NOTICE = "service_notice"
    NOT_ADDRESSED = "not_addressed"
    """It asks us for nothing: said in a group, a post that only mentions us, another app's customer."""
    AUTOMATIC_MESSAGE = "automatic_message"
    """A machine or a list wrote it: no automatic voice answers."""
    THANKS = "thanks"
    TEST = "test"
    BLOCKED_US = "blocked_us"
    CAME_BACK = "came_back"
    # what the desk says by itself, or why it keeps silent
    TOLD_HOURS = "told_hours"
    TOLD_AT_CLOSING = "told_at_closing"
    ALREADY_TOLD = "already_told"
    """Closed, and the customer knows when the desk opens."""
    TOLD_ON_IT = "told_on_it"
    TOLD_PERSON_COMES = "told_person_comes"
    PERSON_ALREADY_ASKED = "person_already_asked"
    PERSON_PRESENT = "person_present"
    """A person is in the conversation: no automatic voice."""
    NEVER_OPENS = "never_opens"
    ALREADY_CAUSED = "already_caused"
    """The effect existed before: it is not caused twice."""
    # calling people
    ASKS_PERSON = "asks_person"
    URGENT = "urgent"
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    SEND_FAILED = "send_failed"
    ALREADY_CALLED = "already_called"
    # people
    SETTLED = "settled"
    NOTHING_OWED = "nothing_owed"
    UNSEEN_STAYS_OWED = "unseen_stays_owed"
    """The reply was written before the newest message was read: that one stays owed."""
    FOLLOWS_BY_MAIL = "follows_by_mail"
    """A visitor of the site who has left, and an address, get the answer by mail."""
    HIDDEN = "hidden"
    """A person takes a public message out of sight; nothing is settled by it."""
    CLAIMED = "claimed"
    RESOLVED = "resolved"
    OWES_NEEDS_CODE = "owes_needs_code"
    """Refused: a thread that owes is resolved only with a reason code."""
    AUTOMATIC_ECHO = "automatic_echo"
    EDITED = "edited"
    DEBT_RETURNS = "debt_returns"
    NOT_YET = "not_yet"
    """A deadline came and nothing is due: the next one is set."""


CALLS = (Reason.ASKS_PERSON, Reason.URGENT, Reason.NO_ANSWER, Reason.UNREADABLE, Reason.SEND_FAILED)
"""The reasons for which people are called."""
