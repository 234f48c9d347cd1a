"""The page on which somebody who was told takes a conversation: a function of its own.

    GET  /take/<token>   what waits, and who has it; changes nothing, for previews and scanners open links
    POST /take/<token>   takes it; only from the page's own form

The token of the notice (``domain.take_link``) is all that is asked for. A link that is wrong, forged or too
old is answered alike. No token, name or word of anybody reaches the log.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from sportello import init_done
from sportello.aws.clock import now, real_now
from sportello.aws.console_key import ConsoleKey
from sportello.aws.logging import logger
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.base import Request
from sportello.directory import language_for
from sportello.domain.take_link import TakeLink, read_token
from sportello.entrypoints import Handler, read_request
from sportello.services import taking
from sportello.services.context import Busy
from sportello.services.desk import current_desk, current_texts
from sportello.services.notice_words import ConsoleWords
from sportello.services.take_page import POLICY, plain_page, take_page
from sportello.services.taking import Reader, Waiting
from sportello.services.wording import Wording

BODY_LIMIT = 4_096
FIELDS_MOST = 8
METHODS = ("GET", "HEAD", "POST")
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    # With "no-referrer" browsers would say "Origin: null" of our own form; this tells other sites as little.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=63072000",
    "vary": "accept-language",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}


class Page(NamedTuple):
    status: int
    html: str
    outcome: str = ""
    """A word for the log; empty: none is written."""


class Visit(NamedTuple):
    """One request for a link that is good, in one language."""

    request: Request
    reader: Reader
    language: str
    words: ConsoleWords
    token: str
    link: TakeLink


def console() -> Handler:
    """The handler of the console's function URL. Answers 200, 400, 403, 404, 405, 409, 413 or 503."""
    key = ConsoleKey()
    current_desk()
    current_texts()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = read_request(event)
        language, words = _language(request)
        try:
            page = answer(request, key.good, _host(event, request))
        except (Busy, SecretsUnavailable) as error:
            logger.error("busy", extra={"why": type(error).__name__})
            page = Page(503, plain_page(language, words.title, words.busy))
        except Exception as error:  # whatever it is, they try again
            logger.error("not taken", extra={"error": type(error).__name__})
            page = Page(503, plain_page(language, words.title, words.busy))
        headers = HEADERS | {"content-language": language}
        if page.status == 405:
            headers["allow"] = ", ".join(METHODS)
        return {"statusCode": page.status, "headers": headers, "body": page.html * (request.method != "HEAD")}

    init_done()
    return handler


def answer(request: Request, good: Callable[[], tuple[bytes, ...]], host: str) -> Page:
    """What a request is answered; ``good`` are the keys that may have signed its token."""
    language, words = _language(request)
    if request.method not in METHODS:
        return Page(405, plain_page(language, words.title, words.gone))
    token = _token(request.path)
    link = read_token(token, good(), real_now()) if token else None
    if link is None:
        return Page(404, plain_page(language, words.gone, words.gone_hint))
    visit = Visit(request, _reader(language), language, words, token, link)
    page = _take(visit, host) if request.method == "POST" else _show(visit)
    if page.outcome:
        logger.info("taking", extra={"thread_id": link.thread, "told": link.target, "outcome": page.outcome})
    return page


def _token(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[1] if len(parts) == 2 and parts[0] == "take" else ""


def _language(request: Request) -> tuple[str, ConsoleWords]:
    """The browser's favourite among those in which people are told."""
    texts = current_texts().notifications
    known = [language for language in current_desk().languages if language in texts]
    language = language_for("", request.headers.get("accept-language", ""), known)
    return language, texts[language].console


def _reader(language: str) -> Reader:
    """The desk, as if this were its first language."""
    desk = current_desk()
    others = (other for other in desk.languages if other != language)
    speaking = desk.model_copy(update={"languages": (language, *others)})
    return Reader(desk, Wording(speaking, current_texts()), now)


def _host(event: Mapping[str, Any], request: Request) -> str:
    return request.headers.get("host", "") or str(event.get("requestContext", {}).get("domainName", ""))


# --- looking and taking -----------------------------------------------------------------------


def _show(visit: Visit, *, status: int = 200, wrong: str = "", taken_by: str = "", outcome: str = "") -> Page:
    waiting = taking.look(visit.reader, visit.link)
    if waiting is None:
        return Page(404, plain_page(visit.language, visit.words.gone, visit.words.gone_hint))
    html = take_page(
        visit.language,
        visit.words,
        waiting,
        visit.token,
        since=_since(visit, waiting),
        taken_by=taken_by,
        wrong=wrong,
    )
    return Page(status, html, outcome)


def _since(visit: Visit, waiting: Waiting) -> str:
    if waiting.since is None:
        return ""
    return visit.reader.wording.moment(waiting.since, visit.reader.now())


def _take(visit: Visit, host: str) -> Page:
    words = visit.words
    if len(visit.request.body) > BODY_LIMIT:
        return Page(413, plain_page(visit.language, words.title, words.refused), "too_large")
    fields = _fields(visit.request)
    if not _from_our_page(visit.request, host) or fields.get("token") != visit.token:
        return Page(403, plain_page(visit.language, words.title, words.refused), "not_our_form")
    by = taking.name_of(visit.reader, fields.get("person") or fields.get("name", ""))
    if not by:
        return _show(visit, status=400, wrong=words.name_wrong)
    waiting = taking.look(visit.reader, visit.link)
    if waiting is None or waiting.answered:
        return _show(visit, outcome="answered")
    if taking.take(visit.reader, visit.link, by, fields.get("over", "")):
        return _show(visit, taken_by=by, outcome="taken")
    held = taking.look(visit.reader, visit.link)
    quicker = words.was_quicker.format(who=held.holder) if held and held.holder else words.busy
    return _show(visit, status=409, wrong=quicker, outcome="held")


def _fields(request: Request) -> dict[str, str]:
    """The form's, as a browser posts them; empty where it is none."""
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        text = request.body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="strict"))
    except ValueError:
        return {}


def _from_our_page(request: Request, host: str) -> bool:
    """Nobody is tricked into taking something by another site's button: browsers say where a form stood."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return bool(host) and urlsplit(request.headers.get("origin", "")).netloc.lower() == host.lower()
