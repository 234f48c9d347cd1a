"""Calls of the X API: signed as our account or as our app, and what refusals mean.

Errors are problem JSON (``{"title", "detail", "type", "status"}``), 1.1's ``{"errors": [{"code",
"message"}]}``, or ``errors`` inside a 200. https://docs.x.com/x-api/fundamentals/response-codes-and-errors
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sportello.channels.base import ConnectError, Connection, NotSent, Problem
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.x_oauth import authorization, basic_of, keys_of

API = "https://api.x.com"
LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
"""Header families; each has ``-remaining`` and ``-reset`` (seconds since 1970)."""

_BY_CODE: Mapping[int, tuple[Problem, str]] = {
    32: (Problem.RECONNECT, "token"),
    50: (Problem.UNREACHABLE, "no_such_user"),
    63: (Problem.UNREACHABLE, "suspended"),
    64: (Problem.RECONNECT, "own_account_suspended"),
    88: (Problem.BUSY, "rate"),
    89: (Problem.RECONNECT, "token"),
    108: (Problem.UNREACHABLE, "no_such_user"),
    144: (Problem.REFUSED, "post_gone"),
    150: (Problem.UNREACHABLE, "messages_closed"),
    151: (Problem.REFUSED, "message_refused"),
    186: (Problem.TOO_LONG, "too_long"),
    187: (Problem.REFUSED, "duplicate"),
    226: (Problem.REFUSED, "looks_automated"),
    261: (Problem.RECONNECT, "app_may_not_write"),
    326: (Problem.RECONNECT, "own_account_locked"),
    344: (Problem.BUSY, "daily_limit"),
    349: (Problem.UNREACHABLE, "messages_closed"),
    354: (Problem.TOO_LONG, "too_long"),
    385: (Problem.REFUSED, "post_gone"),
    416: (Problem.RECONNECT, "app_suspended"),
    433: (Problem.REFUSED, "not_summoned"),
}
"""1.1's codes: https://developer.x.com/en/support/x-api/error-troubleshooting"""

# What a detail or type contains, in lower case; its words are no contract, so the status decides the rest.
_BY_WORDS: tuple[tuple[str, Problem, str], ...] = (
    ("not been mentioned", Problem.REFUSED, "not_summoned"),
    ("mentioned or otherwise engaged", Problem.REFUSED, "not_summoned"),
    ("restricted who can reply", Problem.REFUSED, "not_summoned"),
    ("duplicate content", Problem.REFUSED, "duplicate"),
    ("deleted or not visible", Problem.REFUSED, "post_gone"),
    ("too long", Problem.TOO_LONG, "too_long"),
    ("permission to dm", Problem.UNREACHABLE, "messages_closed"),
    ("cannot send messages to this user", Problem.UNREACHABLE, "messages_closed"),
    ("not following you", Problem.UNREACHABLE, "messages_closed"),
    ("been suspended", Problem.UNREACHABLE, "suspended"),
    ("oauth1 app permissions", Problem.RECONNECT, "app_may_not_write"),
    ("app permissions", Problem.RECONNECT, "app_may_not_write"),
    ("client-forbidden", Problem.RECONNECT, "app_not_enrolled"),
    ("client-not-enrolled", Problem.RECONNECT, "app_not_enrolled"),
    ("usage-capped", Problem.RECONNECT, "spending_cap"),
    ("credits", Problem.RECONNECT, "no_credits"),
)
_BY_STATUS: Mapping[int, tuple[Problem, str]] = {
    401: (Problem.RECONNECT, "401"),
    402: (Problem.RECONNECT, "no_credits"),
    429: (Problem.BUSY, "429"),
}


def as_user(
    http: Http, connection: Connection, method: str, path: str, *, json_body: Any = None,
    body: bytes | None = None, content_type: str = "",
) -> Answer:  # fmt: skip
    """One call signed with the account's keys; raises what ``Http.request`` raises."""
    url = f"{API}{path}"
    headers = {"authorization": authorization(method, url, keys_of(connection))}
    if content_type:
        headers["content-type"] = content_type
    return http.request(method, url, json_body=json_body, body=body, headers=headers)


def refused(answer: Answer) -> NotSent:
    """What an answer of the 4xx, or a 200 that holds only errors, means for the message."""
    problem, code = _meaning(answer)
    return NotSent(problem=problem, code=code, wait=_wait(answer) if problem is Problem.BUSY else None)


def _meaning(answer: Answer) -> tuple[Problem, str]:
    if answer.status in _BY_STATUS:
        return _BY_STATUS[answer.status]
    for code, words in _told(answer):
        if code in _BY_CODE:
            return _BY_CODE[code]
        for part, problem, meaning in _BY_WORDS:
            if part in words:
                return problem, meaning
    return Problem.REFUSED, str(answer.status)


def _told(answer: Answer) -> Iterator[tuple[int, str]]:
    """Code (0: none) and words of each problem in an answer."""
    content = answer.json
    listed = content.get("errors")
    for problem in (content, *(listed if isinstance(listed, list) else ())):
        if isinstance(problem, dict):
            code = problem.get("code")
            words = " ".join(str(problem.get(name, "")) for name in ("title", "detail", "message", "type"))
            yield code if isinstance(code, int) else 0, words.lower()


def _wait(answer: Answer) -> float | None:
    """Seconds until the limit that is used up begins anew; the longest, where several are."""
    resets = [
        int(answer.headers[f"{limit}-reset"])
        for limit in LIMITS
        if re.fullmatch("[0-9]{1,11}", answer.headers.get(f"{limit}-reset", ""))
        and answer.headers.get(f"{limit}-remaining", "0") == "0"
    ]
    return max(1.0, float(max(resets) - int(time.time()))) if resets else None


# --- the operator's command line ---------------------------------------------------------------------


def ask(
    http: Http, connection: Connection, method: str, path: str, *, bearer: str = "", json_body: Any = None
) -> Answer:
    """A call of the set-up, as our app where ``bearer`` is given; raises ``ConnectError`` on silence."""
    try:
        if not bearer:
            return as_user(http, connection, method, path, json_body=json_body)
        headers = {"authorization": f"Bearer {bearer}"}
        return http.request(method, f"{API}{path}", json_body=json_body, headers=headers)
    except (NotConnected, NoAnswer) as error:
        raise _silent(error) from None


def bearer_of(http: Http, connection: Connection) -> str:
    """The app's own token, asked for with its key and secret; it stays the same until it is revoked."""
    keys = keys_of(connection)
    headers = {
        "authorization": basic_of(keys.consumer_key, keys.consumer_secret),
        "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
    }
    try:
        answer = http.request(
            "POST", f"{API}/oauth2/token", body=b"grant_type=client_credentials", headers=headers
        )
    except (NotConnected, NoAnswer) as error:
        raise _silent(error) from None
    token = answer.json.get("access_token")
    if answer.status != 200 or not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
        raise ConnectError(
            "X does not know this consumer key and secret. Copy both again: developer console > your app > "
            "Keys and tokens > Consumer Keys",
            "token_refused",
        )
    return token


def _silent(error: Exception) -> ConnectError:
    return ConnectError(
        f"api.x.com did not answer ({error}): check the network and its proxy, then try again", "no_answer"
    )


def explained(answer: Answer, connection: Connection) -> str:
    """What X says is wrong, for a person to read; none of our secrets is in it."""
    content = answer.json
    listed = content.get("errors")
    words = f"status {answer.status}"
    for problem in (content, *(listed if isinstance(listed, list) else ())):
        told = problem.get("detail") or problem.get("message") if isinstance(problem, dict) else None
        if isinstance(told, str) and told:
            words = told
    for secret in filter(None, keys_of(connection)):
        words = words.replace(secret, "(hidden)")
    return words[:300]
