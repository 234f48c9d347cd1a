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
    SPAM = "spam"
    PHISHING = "phishing"
    NEWSLETTER = "newsletter"
    AUTO_SUBMITTED = "auto_submitted"
    """A machine wrote it: it leaves the queue."""
    WANTED = "wanted"
    """A person brought back what was set aside."""
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
    # frequent questions, facts, questions of ours
    CONSULTS = "consults"
    """The outside is asked first; the automatic voice waits for it."""
    CONSULT_LATE = "consult_late"
    """The outside did not answer in time: the desk goes on without."""
    CAME_TOO_LATE = "came_too_late"
    """The outside answered after the desk had gone on."""
    NOTHING_NEW = "nothing_new"
    """What the outside said changes nothing."""
    CONSULT_FAILED = "consult_failed"
    """Part of what was asked could not be had; the row says what."""
    FAQ_ANSWERED = "faq_answered"
    FAQ_UNKNOWN = "faq_unknown"
    FAQ_HELPED = "faq_helped"
    """An explicit yes: nothing is owed any more."""
    FAQ_NOT_ENOUGH = "faq_not_enough"
    """Anything but a yes: a person follows."""
    ORDER_TOLD = "order_told"
    ORDER_UNPROVED = "order_unproved"
    """The order is told to nobody who is not shown to be its customer."""
    TIER_LEARNT = "tier_learnt"
    FIELD_LEARNT = "field_learnt"
    ASKED_FIELD = "asked_field"
    # where it goes
    ROUTED_ACCOUNT = "routed_account"
    """Its account or channel has a team of its own."""
    ROUTED_SKILL = "routed_skill"
    ROUTED_LANGUAGE = "routed_language"
    ROUTED_CHANNEL = "routed_channel"
    ROUTED_DEFAULT = "routed_default"
    ROUTED_FALLBACK = "routed_fallback"
    """No other team has somebody on duty who can."""
    ROUTED_STAYS = "routed_stays"
    """The team that has it fits as well as any other."""
    HANDED_BACK_OFF_SHIFT = "handed_back_off_shift"
    HANDED_BACK_LEAVE = "handed_back_leave"
    HANDED_BACK_LOAD = "handed_back_load"
    HANDED_BACK_SILENT = "handed_back_silent"
    """Whoever has taken it has not answered: it goes back to the team, and people are called."""
    TO_CARE = "to_care"
    """Written to an official account: the way to the care account was told."""
    ALREADY_SHOWN_CARE = "already_shown_care"
    LINKED = "linked"
    """It goes on from a thread on an official account."""
    FOLLOWED = "followed"
    """The customer has come to the care account, where the debt goes on."""
    # public and private
    PERSONAL_DATA_HIDDEN = "personal_data_hidden"
    PERSONAL_DATA_DELETE = "personal_data_delete"
    """The platform cannot hide it: the customer is asked to delete it."""
    PUBLIC_ACKNOWLEDGED = "public_acknowledged"
    MOVED_TO_PRIVATE = "moved_to_private"
    PUBLIC_SILENT = "public_silent"
    """The automatic voice does not speak of hours in public."""
    # calling people
    CHASES = "chases"
    CRITICAL = "critical"
    ANGRY = "angry"
    FIRST_LATE = "first_late"
    FULL_SOON = "full_soon"
    FULL_LATE = "full_late"
    PROMISE_LATE = "promise_late"
    """What the customer was told they would hear by now has not come."""
    UNACKNOWLEDGED = "unacknowledged"
    """Nobody has taken it: the next level is paged."""
    WAITS_AT_OPENING = "waits_at_opening"
    ASKS_PERSON = "asks_person"
    URGENT = "urgent"
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    SEND_FAILED = "send_failed"
    ALREADY_CALLED = "already_called"
    # people
    SETTLED = "settled"
    NOTHING_OWED = "nothing_owed"
    INTERIM = "interim"
    """A person has answered for the time being, and says when the full answer comes."""
    LANGUAGE_SET = "language_set"
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


CALLS = (
    Reason.ASKS_PERSON,
    Reason.URGENT,
    Reason.NO_ANSWER,
    Reason.UNREADABLE,
    Reason.SEND_FAILED,
    Reason.CHASES,
    Reason.CRITICAL,
    Reason.ANGRY,
    Reason.FIRST_LATE,
    Reason.FULL_SOON,
    Reason.FULL_LATE,
    Reason.PROMISE_LATE,
    Reason.FAQ_NOT_ENOUGH,
    Reason.ORDER_UNPROVED,
    Reason.ROUTED_FALLBACK,
    Reason.UNACKNOWLEDGED,
    Reason.WAITS_AT_OPENING,
    Reason.HANDED_BACK_SILENT,
)
"""The reasons for which people are called."""

LETTERS = dict(zip(CALLS, "aunrsckgfwlpqobxdh", strict=True)) | {
    Reason.PUBLIC_ACKNOWLEDGED: "y",
    Reason.PERSONAL_DATA_DELETE: "z",
    Reason.TO_CARE: "t",
}
"""What a debt may remember (``Thread.escalated``), as one letter each in the thread row."""
