"""What Twilio's SMS and voice share: the signature, the form, the call of its API, its error codes.

Source: twilio.com/docs/usage/security, /usage/requests-to-twilio, /api/errors (read November 2026).

A connection's first secret is the account's *Auth Token*: Twilio signs webhooks with it. Calls are
made with it too, or with an API key (``settings["api_key"]``, its secret is the connection's token).
``settings``: ``account_sid``; ``url``, the address at which Twilio calls us, as ``connect`` registered
it: Twilio signs that very address, and answers of a send come back to it.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sportello.channels.base import Connection, NotSent, Problem, Request, Response, SendOutcome, Unknown
from sportello.channels.body import read_object
from sportello.channels.http import Answer, Http
from sportello.channels.signatures import any_equal, equal

HOST = "api.twilio.com"
MEDIA_HOSTS = (HOST, ".twiliocdn.com")
"""Files are asked for at the API, which sends on to its storage without our credentials."""
DEADLINE = 15_000
SIGNATURE_HEADER = "x-twilio-signature"
BODY_HASH = "bodySHA256"
NO_INSTRUCTIONS = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_PORTS = {"https": 443, "http": 80}

PROBLEMS: Mapping[int, Problem] = {
    11751: Problem.MEDIA,  # larger than MMS takes
    12300: Problem.MEDIA,
    20003: Problem.RECONNECT,
    20005: Problem.RECONNECT,  # account not active
    20404: Problem.RECONNECT,
    20429: Problem.BUSY,
    21211: Problem.UNREACHABLE,
    21212: Problem.RECONNECT,  # our own number is wrong
    21408: Problem.RECONNECT,  # the country is not switched on
    21602: Problem.EMPTY,
    21605: Problem.TOO_LONG,
    21606: Problem.RECONNECT,  # not our number, or it cannot send
    21608: Problem.UNREACHABLE,  # a trial account writes to verified numbers only
    21610: Problem.UNREACHABLE,  # opted out
    21611: Problem.BUSY,  # our number's queue is full
    21612: Problem.UNREACHABLE,
    21614: Problem.UNREACHABLE,  # not a mobile number
    21617: Problem.TOO_LONG,
    21619: Problem.EMPTY,
    21620: Problem.MEDIA,
    21623: Problem.MEDIA,
    21635: Problem.UNREACHABLE,  # a landline
    21659: Problem.RECONNECT,
    21660: Problem.RECONNECT,
    21661: Problem.RECONNECT,
    21701: Problem.RECONNECT,
    21703: Problem.RECONNECT,
    30001: Problem.TEMPORARY,
    30002: Problem.RECONNECT,  # account suspended
    30003: Problem.UNREACHABLE,
    30004: Problem.UNREACHABLE,
    30005: Problem.UNREACHABLE,
    30006: Problem.UNREACHABLE,
    30007: Problem.REFUSED,  # filtered by the carrier
    30008: Problem.TEMPORARY,
    30019: Problem.MEDIA,
    30032: Problem.RECONNECT,  # toll-free number not verified
    30034: Problem.RECONNECT,  # number not registered with the carriers (US A2P 10DLC)
    63016: Problem.WINDOW_CLOSED,
    63018: Problem.BUSY,
}
"""Error codes of answers and of status callbacks."""


def verified(request: Request, connection: Connection) -> bool:
    """Whether Twilio sent this: HMAC-SHA1 over the address it called and every parameter it posted."""
    given = request.headers.get(SIGNATURE_HEADER, "")
    if not given:
        return False
    body_hash = request.query.get(BODY_HASH)
    if body_hash is not None:
        if not equal(hashlib.sha256(request.body).hexdigest(), body_hash):
            return False
        posted: tuple[tuple[str, str], ...] = ()
    else:
        posted = _posted(request)
    expected = [
        signature(secret, url, posted)
        for secret in connection.secrets
        if secret
        for url in _with_and_without_port(public_url(request, connection))
    ]
    return any_equal(expected, given)


def signature(token: str, url: str, posted: Iterable[tuple[str, str]]) -> str:
    """Names in order, and under each name every different value in order; blank ones count too."""
    text = url + "".join(name + value for name, value in sorted(set(posted)))
    digest = hmac.new(token.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def public_url(request: Request, connection: Connection) -> str:
    """The address that Twilio called: what was registered, else what the request says of itself."""
    query = f"?{request.raw_query}" if request.raw_query else ""
    registered = connection.settings.get("url", "")
    if not registered:
        scheme = request.headers.get("x-forwarded-proto", "https")
        return f"{scheme}://{request.headers.get('host', '')}{request.path}{query}"
    if registered.count("/") == 2 or (registered.count("/") == 3 and registered.endswith("/")):
        registered = registered.rstrip("/") + request.path
    return registered + query


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio has signed both ways: with the scheme's own port written out, and without."""
    try:
        parts = urlsplit(url)
        port, standard = parts.port, _PORTS.get(parts.scheme)
    except ValueError:
        return url, url
    if port is None:
        return url, parts._replace(netloc=f"{parts.netloc}:{standard}").geturl()
    if port == standard:
        return url, parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    return url, url


def fields(request: Request) -> dict[str, str]:
    """The parameters of a webhook: those of the address, overlaid by those of the body."""
    if BODY_HASH in request.query:
        posted = {name: str(value) for name, value in read_object(request.body).items()}
    else:
        posted = dict(_posted(request))
    return {**request.query, **posted}


def _posted(request: Request) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def twiml(document: str = NO_INSTRUCTIONS) -> Response:
    """An answer that Twilio acts on; anything but XML would be sent to the customer as a text message."""
    return Response(status=200, body=document, content_type="text/xml; charset=utf-8")


def callback(connection: Connection, **query: str) -> str:
    """Our address with more in its query: what Twilio gives back with an event; empty: we know none."""
    url = connection.settings.get("url", "")
    return f"{url}?{urlencode(query, quote_via=quote)}" if url and query else url


def account_sid(connection: Connection) -> str:
    """Empty where there is none to speak of."""
    sid = connection.settings.get("account_sid", "")
    return sid if _ACCOUNT.fullmatch(sid) else ""


def authorization(connection: Connection) -> dict[str, str]:
    user = connection.settings.get("api_key") or account_sid(connection)
    password = connection.token or next(iter(connection.secrets), "")
    basic = base64.b64encode(f"{user}:{password}".encode("utf-8", "replace")).decode()
    return {"authorization": f"Basic {basic}"}


def call(
    method: str, path: str, connection: Connection, http: Http, form: Iterable[tuple[str, str]] = ()
) -> Answer:
    """One call below the account's own address; raises as ``Http.request``."""
    url = f"https://{HOST}/2010-04-01/Accounts/{account_sid(connection)}/{path}"
    headers = authorization(connection)
    pairs = list(form)
    if method == "GET":
        return http.request("GET", f"{url}?{urlencode(pairs)}" if pairs else url, headers=headers)
    headers["content-type"] = "application/x-www-form-urlencoded"
    return http.request(method, url, body=urlencode(pairs, errors="replace").encode(), headers=headers)


def code_of(answer: Answer) -> int:
    """Twilio's own error code, else the HTTP status."""
    code = answer.json.get("code")
    return code if isinstance(code, int) and not isinstance(code, bool) else answer.status


def not_sent(answer: Answer) -> SendOutcome:
    """What an answer that is no success means."""
    if answer.status >= 500 or answer.status < 400:
        return Unknown(code=str(code_of(answer)))
    code = code_of(answer)
    return NotSent(problem=problem_of(code, answer.status), code=str(code), wait=_wait(answer))


def problem_of(code: int, status: int = 400) -> Problem:
    if code in PROBLEMS:
        return PROBLEMS[code]
    if status in (401, 403, 404):
        return Problem.RECONNECT
    return Problem.BUSY if status == 429 else Problem.REFUSED


def _wait(answer: Answer) -> float | None:
    seconds = answer.headers.get("retry-after", "")
    return float(seconds) if re.fullmatch(r"[0-9]{1,6}", seconds) else None
