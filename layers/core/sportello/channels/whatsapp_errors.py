"""What the Cloud API's error codes mean for us: one table for answers, statuses and webhook errors.

Source: WhatsApp "Error codes" (May 2026) and Graph "Error handling". A code that is not here is
``REFUSED`` where the platform says so plainly (a 4xx answer, a ``failed`` status).
"""

from sportello.channels.base import Problem

PAIR_SECONDS = 6.0
"""One message in six seconds to the same customer (131056)."""
THROTTLE_SECONDS = 60.0
SPAM_SECONDS = 3600.0
"""The number was reported too often (131048): hurrying makes it worse."""

PROBLEMS: dict[int, Problem] = {
    # Throttled: nothing was sent.
    4: Problem.BUSY,  # calls of the app
    17: Problem.BUSY,  # calls of the user
    32: Problem.BUSY,  # calls for the page
    613: Problem.BUSY,  # calls to this endpoint
    80007: Problem.BUSY,  # calls for the business account
    130429: Problem.BUSY,  # messages per second of the number
    131048: Problem.BUSY,  # spam limit of the number
    131056: Problem.BUSY,  # messages to this one customer
    # Documented as passing, and as not sent.
    2: Problem.TEMPORARY,  # API down or overloaded
    131000: Problem.TEMPORARY,  # something went wrong
    131016: Problem.TEMPORARY,  # service overloaded
    131057: Problem.TEMPORARY,  # account in maintenance
    133004: Problem.TEMPORARY,  # server unavailable
    # A person has to act at the platform.
    0: Problem.RECONNECT,  # token could not be checked
    3: Problem.RECONNECT,  # the app lacks the capability
    10: Problem.RECONNECT,  # permission not granted or withdrawn
    33: Problem.RECONNECT,  # our number was deleted
    190: Problem.RECONNECT,  # token expired or revoked
    368: Problem.RECONNECT,  # blocked for policy violations
    131005: Problem.RECONNECT,  # access denied
    131031: Problem.RECONNECT,  # account locked
    131037: Problem.RECONNECT,  # display name not approved
    131042: Problem.RECONNECT,  # payment method missing or unpaid
    131045: Problem.RECONNECT,  # number not registered (certificate)
    133010: Problem.RECONNECT,  # number not registered
    **dict.fromkeys(range(200, 300), Problem.RECONNECT),  # permissions
    # The window.
    131047: Problem.WINDOW_CLOSED,  # more than 24 hours since the customer's last message
    # This customer.
    130497: Problem.UNREACHABLE,  # we may not write to this country
    131021: Problem.UNREACHABLE,  # recipient is the sender
    131026: Problem.UNREACHABLE,  # not on WhatsApp, too old, or blocked us: which is not told
    131030: Problem.UNREACHABLE,  # test number: recipient is not on its list
    # This message.
    100: Problem.REFUSED,  # bad parameter
    130472: Problem.REFUSED,  # held back by an experiment
    131008: Problem.REFUSED,  # parameter missing
    131009: Problem.REFUSED,  # parameter value
    131049: Problem.REFUSED,  # held back for "ecosystem engagement"
    131050: Problem.REFUSED,  # customer stopped marketing messages
    131051: Problem.REFUSED,  # message type
    131052: Problem.REFUSED,  # media download
    131053: Problem.REFUSED,  # media upload
    131062: Problem.REFUSED,  # this kind may not go to a business-scoped id
    132000: Problem.REFUSED,  # template: number of values
    132001: Problem.REFUSED,  # template: no such name or language
    132005: Problem.REFUSED,  # template: text too long
    132007: Problem.REFUSED,  # template: policy
    132012: Problem.REFUSED,  # template: format of values
    132015: Problem.REFUSED,  # template: paused
    132016: Problem.REFUSED,  # template: disabled
}

_BY_SUBCODE: dict[tuple[int, int], Problem] = {
    (100, 33): Problem.RECONNECT,  # no such number, or the token may not see it
}

_WAITS = {131056: PAIR_SECONDS, 131048: SPAM_SECONDS}


def problem_of(code: int, subcode: int = 0) -> Problem | None:
    """What the code means; None where it is not documented."""
    return _BY_SUBCODE.get((code, subcode)) or PROBLEMS.get(code)


def wait_of(code: int) -> float:
    """Seconds to wait where the answer names none."""
    return _WAITS.get(code, THROTTLE_SECONDS)
