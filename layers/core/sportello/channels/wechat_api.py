"""Calls of WeChat's API, and the access token that each of them carries.

https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/getStableAccessToken.html

A *stable* token is the same for everybody who asks until it runs out, so every process of ours keeps
its own copy and none makes another's useless, as the older kind of token would. It is part of every
address called: it must never reach an error, a log or a result.
"""

import hashlib
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sportello.channels.base import Connection, NotSent, Problem, Unknown
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.wechat_errors import TOKEN_ENDED, WeChatError, error_number, error_of

API = "https://api.weixin.qq.com/cgi-bin"
SPARE = 60.0
"""Seconds before its end from which a token is no longer used."""
LONGEST = 7200.0


class _Kept(NamedTuple):
    token: str
    ends: float
    """On the process's own clock (``time.monotonic``)."""


_kept: dict[str, _Kept] = {}
_lock = threading.Lock()
"""One asks, the others wait for the answer."""


def call(
    http: Http,
    connection: Connection,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    **sent: Any,
) -> Answer:
    """One call, with a token; a token that has ended is renewed and the call made once more.

    Args:
        sent: ``json_body``, ``body`` and ``headers`` as of ``Http.request``.

    Raises:
        WeChatError: it failed. Where only the token could not be had, nothing was sent.
    """
    token = access_token(http, connection)
    answer = _request(http, method, _address(path, token, query), sent)
    if error_number(answer) in TOKEN_ENDED:
        token = access_token(http, connection, refused=token)
        answer = _request(http, method, _address(path, token, query), sent)
    return answer


def checked(answer: Answer) -> dict[str, Any]:
    """The JSON of a success; raises ``WeChatError`` for anything else."""
    if error_number(answer) != 0:
        raise error_of(answer)
    return answer.json


def access_token(http: Http, connection: Connection, *, refused: str = "") -> str:
    """The token of the account, asked for where none is kept or WeChat has ``refused`` the kept one."""
    account = _account(connection)
    with _lock:
        kept = _kept.get(account)
        if kept is not None and kept.token != refused and time.monotonic() < kept.ends:
            return kept.token
        _kept.pop(account, None)
        fresh = _ask(http, connection, force=False)
        if refused and fresh.token == refused:
            fresh = _ask(http, connection, force=True)  # allowed 20 times a day
        _kept[account] = fresh
        return fresh.token


def forget_tokens() -> None:
    """As after a start of the process."""
    with _lock:
        _kept.clear()


def url_with_token(http: Http, connection: Connection, path: str, query: Mapping[str, str]) -> str:
    """An address that somebody else will fetch; it is a secret."""
    return _address(path, access_token(http, connection), query)


def _account(connection: Connection) -> str:
    named = f"{connection.settings.get('app_id', '')}\n{connection.token}"
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


def _ask(http: Http, connection: Connection, *, force: bool) -> _Kept:
    """Whatever goes wrong here, the call that needs the token has not been made."""
    wanted: dict[str, Any] = {
        "grant_type": "client_credential",
        "appid": connection.settings.get("app_id", ""),
        "secret": connection.token,
    }
    if force:
        wanted["force_refresh"] = True
    try:
        answer = _request(http, "POST", f"{API}/stable_token", {"json_body": wanted})
        content = checked(answer)
    except WeChatError as error:
        if isinstance(error.outcome, NotSent):
            raise
        raise _temporary(f"token_{error.outcome.code}") from None
    token, seconds = content.get("access_token"), content.get("expires_in")
    if not isinstance(token, str) or not token:
        raise _temporary("token_missing")
    lasts = min(float(seconds), LONGEST) if isinstance(seconds, int) else LONGEST
    return _Kept(token, time.monotonic() + lasts - SPARE)


def _temporary(code: str) -> WeChatError:
    return WeChatError(NotSent(problem=Problem.TEMPORARY, code=code))


def _address(path: str, token: str, query: Mapping[str, str] | None) -> str:
    return f"{API}/{path}?{urlencode({'access_token': token, **(query or {})}, errors='replace')}"


def _request(http: Http, method: str, url: str, sent: Mapping[str, Any]) -> Answer:
    try:
        return http.request(method, url, **sent)
    except NotConnected:
        raise _temporary("not_connected") from None
    except NoAnswer:
        raise WeChatError(Unknown(code="no_answer")) from None
