"""What WeChat's error numbers mean. https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html

WeChat answers with HTTP 200 even where it refuses: only ``errcode`` in the body tells.
"""

from sportello.channels.base import NotSent, Problem, Unknown
from sportello.channels.http import Answer

TOKEN_ENDED = frozenset({40001, 40014, 42001})
"""The access token is wrong or has run out: with another one the call may succeed."""
NOT_LISTED = frozenset({40164, 61004})
"""The call came from an address that is not in the account's IP list."""
BAD_APP_ID = 40013
BAD_SECRET = 40125
NOT_ALLOWED = 48001
GONE = frozenset({40007})
"""No file has this id, or it is older than three days."""

PROBLEMS = {
    -1: Problem.TEMPORARY,  # busy
    40003: Problem.UNREACHABLE,  # no such user
    40004: Problem.MEDIA,
    40005: Problem.MEDIA,
    40006: Problem.MEDIA,
    40007: Problem.MEDIA,
    40009: Problem.MEDIA,
    40010: Problem.MEDIA,
    40011: Problem.MEDIA,
    40012: Problem.MEDIA,
    BAD_APP_ID: Problem.RECONNECT,
    BAD_SECRET: Problem.RECONNECT,
    41004: Problem.RECONNECT,  # no secret
    43004: Problem.UNREACHABLE,  # does not follow us
    43019: Problem.UNREACHABLE,  # blocked
    44004: Problem.EMPTY,
    45001: Problem.MEDIA,  # too large
    45002: Problem.TOO_LONG,
    45009: Problem.BUSY,  # calls of the day
    45011: Problem.BUSY,  # calls of the minute
    45015: Problem.WINDOW_CLOSED,  # 48 hours are over, or no longer a follower
    45047: Problem.WINDOW_CLOSED,  # the messages that one of theirs allows are used up
    NOT_ALLOWED: Problem.RECONNECT,  # not a verified account
    48004: Problem.RECONNECT,  # banned
    50001: Problem.RECONNECT,  # not authorised
    50002: Problem.RECONNECT,  # restricted
    **dict.fromkeys(TOKEN_ENDED | NOT_LISTED, Problem.RECONNECT),
}
WAITS = {45009: 3600.0, 45011: 60.0}
"""Seconds: the daily count starts again at midnight in China, the other one each minute."""


class WeChatError(Exception):
    """A call failed; ``outcome`` is what that means for a send. The text is a code and nothing else."""

    def __init__(self, outcome: NotSent | Unknown, number: int | None = None) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome
        self.number = number
        """WeChat's error number, where it gave one."""


def error_number(answer: Answer) -> int | None:
    """0 where it went well (some calls then leave the number out); None: not WeChat's JSON."""
    content = answer.json
    number = content.get("errcode", 0 if content and answer.status == 200 else None)
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def error_of(answer: Answer) -> WeChatError:
    """The error in an answer that is no success. A number that is not in the table: refused, with it."""
    number = error_number(answer)
    if number:
        problem = PROBLEMS.get(number, Problem.REFUSED)
        return WeChatError(NotSent(problem=problem, code=str(number), wait=WAITS.get(number)), number)
    code = f"http_{answer.status}"
    if answer.status == 429:
        return WeChatError(NotSent(problem=Problem.BUSY, code=code))
    if 400 <= answer.status < 500:
        return WeChatError(NotSent(problem=Problem.REFUSED, code=code))
    return WeChatError(Unknown(code=code))
