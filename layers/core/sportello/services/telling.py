"""How a target is told: one notice to Slack or to a mailbox, with a link of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sportello.aws import mail
from sportello.aws.clock import real_now
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.http import Http
from sportello.domain.desk import Desk
from sportello.domain.model import HOUR, SECOND, Instant
from sportello.domain.staff import Target
from sportello.domain.take_link import LASTS, TakeLink, token_of
from sportello.services.notice_words import Notice
from sportello.services.wording import Wording
from sportello.targets import slack
from sportello.targets.slack import Told

FIRST_WAIT = 15 * SECOND


@dataclass(frozen=True)
class Notifier:
    desk: Desk
    wording: Wording
    hooks: Callable[[], Mapping[str, str]]
    """Slack webhook addresses by name (secrets)."""
    http: Http
    now: Callable[[], Instant]
    console: str = ""
    """Address of the page on which something is taken; empty: notices carry no link."""
    console_key: Callable[[], bytes] = lambda: b""
    """What its links are signed with. Raises SecretsUnavailable."""


def tell(notifier: Notifier, target: Target, notice: Notice) -> Told:
    if target.slack:
        return _slack(notifier, target.slack, notice)
    try:
        mail.send_mail(target.email, notice.title, notice.text)
    except mail.NotTold as error:
        return Told(error.problem, error.final)
    return Told()


def _slack(notifier: Notifier, name: str, notice: Notice) -> Told:
    try:
        url = notifier.hooks().get(name, "")
    except SecretsUnavailable as error:
        return Told(str(error))
    if not url:
        return Told(f"no secret for slack/{name}")
    body = slack.body(
        notice.title,
        notice.lines,
        notice.answer,
        items=notice.items,
        foot=notice.foot,
        take=notice.take,
        link=notice.link,
    )
    return slack.tell(url, body, notifier.http)


def link(notifier: Notifier, address: Address, target: Target) -> str:
    """Where somebody who was told there takes it; empty where none can be signed: people are told first."""
    if not notifier.console:
        return ""
    try:
        secret = notifier.console_key()
    except SecretsUnavailable as error:
        logger.error("no key for links", extra={"why": str(error)})
        return ""
    if not secret:
        return ""
    token = token_of(TakeLink(address.thread, address.key, target.key, real_now() + LASTS), secret)
    return f"{notifier.console.rstrip('/')}/take/{token}"


def wait(attempt: int) -> Instant:
    """Until the next try; each waits twice as long, up to an hour."""
    return min(FIRST_WAIT * (1 << min(attempt, 8)), HOUR)
