"""What Viber's status numbers mean. https://developers.viber.com/docs/api/rest-bot-api/#error-codes

Viber answers with HTTP 200 even where it refuses: only ``status`` in the body tells.
"""

from sportello.channels.base import NotSent, Problem, SendOutcome, Sent, Unknown
from sportello.channels.http import Answer

INVALID_TOKEN = 2
TOO_MANY = 12
TOO_MANY_WAIT = 600.0
"""Seconds. 100 messages an hour to somebody who does not answer; Viber names no time."""

PROBLEMS = {
    1: Problem.REFUSED,  # invalidUrl
    INVALID_TOKEN: Problem.RECONNECT,  # invalidAuthToken
    3: Problem.REFUSED,  # badData
    4: Problem.REFUSED,  # missingData
    5: Problem.UNREACHABLE,  # receiverNotRegistered
    6: Problem.UNREACHABLE,  # receiverNotSubscribed
    7: Problem.RECONNECT,  # publicAccountBlocked
    8: Problem.RECONNECT,  # publicAccountNotFound
    9: Problem.RECONNECT,  # publicAccountSuspended
    10: Problem.RECONNECT,  # webhookNotSet
    11: Problem.UNREACHABLE,  # receiverNoSuitableDevice
    TOO_MANY: Problem.BUSY,  # tooManyRequests
    13: Problem.REFUSED,  # apiVersionNotSupported
    14: Problem.REFUSED,  # incompatibleWithVersion
    15: Problem.RECONNECT,  # publicAccountNotAuthorized
    16: Problem.REFUSED,  # inchatReplyMessageNotAllowed
    17: Problem.REFUSED,  # publicAccountIsNotInline
    18: Problem.REFUSED,  # noPublicChat
    19: Problem.REFUSED,  # cannotSendBroadcast
    20: Problem.REFUSED,  # broadcastNotAllowed
    21: Problem.UNREACHABLE,  # unsupportedCountry
    22: Problem.REFUSED,  # paymentUnsupported
    23: Problem.RECONNECT,  # freeMessagesExceeded: until the contract is changed
    24: Problem.RECONNECT,  # noBalance
}


def outcome_of(answer: Answer) -> SendOutcome:
    """What became of a message. A status that is not in the table: refused, with its number."""
    status = status_of(answer)
    if status == 0:
        token = answer.json.get("message_token")
        return Sent(id=str(token)) if isinstance(token, int) else Unknown(code="no_message_token")
    if status is not None:
        wait = TOO_MANY_WAIT if status == TOO_MANY else None
        return NotSent(problem=PROBLEMS.get(status, Problem.REFUSED), code=str(status), wait=wait)
    code = f"http_{answer.status}"
    if answer.status == 429:
        return NotSent(problem=Problem.BUSY, code=code)
    if 400 <= answer.status < 500:
        return NotSent(problem=Problem.REFUSED, code=code)
    return Unknown(code=code)


def status_of(answer: Answer) -> int | None:
    """The number in the body, which some of Viber's answers write as text; None: not Viber's JSON."""
    status = answer.json.get("status")
    if isinstance(status, str) and status.isascii() and status.isdigit() and len(status) < 6:
        return int(status)
    return status if isinstance(status, int) and not isinstance(status, bool) else None
