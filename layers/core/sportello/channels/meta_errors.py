"""What the Graph API's errors mean when a message, a comment or a private reply is refused.

Source: Messenger Platform "Error codes" (25 June 2026), Instagram messaging errors, Graph "Handling
errors". The subcode decides where it is known, then the code; never the text or the HTTP status. What
is in neither table is ``REFUSED`` where the platform says so plainly (a 4xx answer).
"""

from sportello.channels import graph
from sportello.channels.base import NotSent, Problem, Unknown
from sportello.channels.graph import Failure
from sportello.channels.http import Answer

THROTTLE_SECONDS = 60.0

SENT_ALL_THE_SAME = 1357046
"""Documented as "messages were sent, yet an error was returned"."""

BY_SUBCODE: dict[int, Problem] = {
    # The window.
    2018065: Problem.WINDOW_CLOSED,
    2018278: Problem.WINDOW_CLOSED,
    2534022: Problem.WINDOW_CLOSED,  # Instagram
    # This customer: blocked us, left, wants no messages; permanent as far as anybody is told.
    1545041: Problem.UNREACHABLE,
    2018001: Problem.UNREACHABLE,  # no such user
    2018108: Problem.UNREACHABLE,
    2534014: Problem.UNREACHABLE,  # no such user on Instagram
    2534029: Problem.UNREACHABLE,  # blocked us on Instagram
    # The file.
    2018008: Problem.MEDIA,  # could not be fetched
    2018047: Problem.MEDIA,  # could not be uploaded
    2018074: Problem.MEDIA,  # no such attachment
    2018109: Problem.MEDIA,  # too large
    2018294: Problem.MEDIA,  # the film took too long
    # A person has to act at the platform.
    1893063: Problem.RECONNECT,  # Page restricted
    2018028: Problem.RECONNECT,  # the app is not live, or the customer has no role in it
    2534041: Problem.RECONNECT,  # "allow access to messages" is off
    2534077: Problem.RECONNECT,  # Page and Instagram account are no longer linked
    # Throttled.
    2018338: Problem.BUSY,
    2534040: Problem.BUSY,
    # This message.
    2018014: Problem.REFUSED,  # a sender action together with a message
    2018292: Problem.REFUSED,  # private reply: no such comment
    2018300: Problem.REFUSED,  # another app holds the conversation
    2534015: Problem.REFUSED,
    2534025: Problem.REFUSED,  # private reply on Instagram: too late, or answered already
    2534037: Problem.REFUSED,  # another app holds the conversation on Instagram
}

BY_CODE: dict[int, Problem] = {
    # Throttled: nothing was sent.
    4: Problem.BUSY,
    17: Problem.BUSY,
    32: Problem.BUSY,
    613: Problem.BUSY,
    # Documented as passing, and as not sent.
    2: Problem.TEMPORARY,
    1200: Problem.TEMPORARY,
    # A person has to act at the platform.
    3: Problem.RECONNECT,
    10: Problem.RECONNECT,
    102: Problem.RECONNECT,
    190: Problem.RECONNECT,
    368: Problem.RECONNECT,
    **dict.fromkeys(range(200, 300), Problem.RECONNECT),
    # This customer.
    551: Problem.UNREACHABLE,
    # This message.
    100: Problem.REFUSED,
    10900: Problem.REFUSED,  # private reply: answered already
    10901: Problem.WINDOW_CLOSED,  # private reply: the comment is too old
    10902: Problem.REFUSED,  # private reply: nothing that can be answered
    10903: Problem.REFUSED,  # private reply: this person cannot be answered
    2018300: Problem.REFUSED,
    9000001: Problem.REFUSED,  # the message was deleted
}


def problem_of(failure: Failure) -> Problem | None:
    """What an error means; None where it is not documented, or where the message may have been sent."""
    if failure.code == 1 or failure.subcode == SENT_ALL_THE_SAME:
        return None
    return BY_SUBCODE.get(failure.subcode) or BY_CODE.get(failure.code)


def refused(answer: Answer) -> NotSent | Unknown | None:
    """The outcome of an answer that is an error; None where it is none."""
    failure = graph.failure(answer)
    if failure:
        return _failed(failure, answer)
    if answer.status == 200:
        return None
    if answer.status == 429:
        return _not_sent(Problem.BUSY, "429", answer)
    if answer.status in (401, 403):
        return NotSent(problem=Problem.RECONNECT, code=str(answer.status))
    if 400 <= answer.status < 500 and answer.status != 408:
        return NotSent(problem=Problem.REFUSED, code=str(answer.status))
    return Unknown(code=str(answer.status))


def _failed(failure: Failure, answer: Answer) -> NotSent | Unknown:
    problem = problem_of(failure)
    unclear = failure.code == 1 or failure.subcode == SENT_ALL_THE_SAME or answer.status >= 500
    if problem is None and unclear:
        return Unknown(code=str(failure))
    return _not_sent(problem or Problem.REFUSED, str(failure), answer)


def _not_sent(problem: Problem, code: str, answer: Answer) -> NotSent:
    if problem is not Problem.BUSY:
        return NotSent(problem=problem, code=code)
    asked = graph.retry_after(answer)
    return NotSent(problem=problem, code=code, wait=THROTTLE_SECONDS if asked is None else asked)
