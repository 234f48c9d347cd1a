"""The notifier: people are told of a call at once, each target at least once.

A target that failed is tried again alone; one that can never be told (a webhook that is gone) is
marked so, and the others are told all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sportello.aws import escalations, history, mail
from sportello.aws.clock import real_now
from sportello.aws.outbox import Address
from sportello.aws.secrets import SecretsUnavailable
from sportello.channels.http import Http
from sportello.domain.desk import Desk, Target
from sportello.domain.message import Escalation, Message
from sportello.domain.model import HOUR, SECOND, Instant
from sportello.domain.thread import Thread
from sportello.services.wording import Notice, Wording
from sportello.targets import slack
from sportello.targets.slack import Told

NEWEST = 20
SAID_MOST = 5
"""Unanswered messages that a notice repeats."""
FIRST_WAIT = 15 * SECOND


@dataclass(frozen=True)
class Notifier:
    desk: Desk
    wording: Wording
    hooks: Callable[[], Mapping[str, str]]
    """Slack webhook addresses by name (secrets)."""
    http: Http
    now: Callable[[], Instant]


def notify(notifier: Notifier, address: Address) -> str:
    """Tell every target of one call what it has not heard; returns a word for the log."""
    thread, call = escalations.read(address)
    if thread is None or call is None:
        return "no_such_call"
    targets = _targets(notifier.desk, call)
    waiting = [target for target in targets if not _heard(call, target)]
    results = _tell_all(notifier, address, thread, call, waiting)
    if any(told.problem and not told.final for _, told in results):
        escalations.try_again(address, real_now() + _wait(call.attempt))
        return "try_again"
    if not escalations.done(address, len(call.whys)):
        escalations.try_again(address, real_now())
    everybody = {target.key for target in targets}
    refused = call.refused.keys() | {target.key for target, told in results if told.final}
    return "nobody_told" if everybody <= refused else "told"


def _targets(desk: Desk, call: Escalation) -> tuple[Target, ...]:
    return desk.teams.get(call.team, desk.teams[desk.default_team]).tell


def _heard(call: Escalation, target: Target) -> bool:
    return target.key in call.refused or call.told.get(target.key, 0) >= len(call.whys)


def _wait(attempt: int) -> Instant:
    return min(FIRST_WAIT * (1 << min(attempt, 8)), HOUR)


def _tell_all(
    notifier: Notifier, address: Address, thread: Thread, call: Escalation, waiting: Sequence[Target]
) -> list[tuple[Target, Told]]:
    if not waiting:
        return []
    notice = _notice(notifier, thread, call)
    return [(target, _tell(notifier, address, call, target, notice)) for target in waiting]


def _tell(notifier: Notifier, address: Address, call: Escalation, target: Target, notice: Notice) -> Told:
    told = _slack(notifier, target.slack, notice) if target.slack else _email(target.email, notice)
    if not told.problem:
        escalations.told(address, target.key, len(call.whys))
    elif told.final:
        escalations.refused(address, target.key, told.problem)
    return told


def _slack(notifier: Notifier, name: str, notice: Notice) -> Told:
    try:
        url = notifier.hooks().get(name, "")
    except SecretsUnavailable as error:
        return Told(str(error))
    if not url:
        return Told(f"no secret for slack/{name}")
    return slack.tell(url, notice.title, notice.lines, notice.answer, notifier.http)


def _email(to: str, notice: Notice) -> Told:
    try:
        mail.send_mail(to, notice.title, notice.text)
    except mail.NotTold as error:
        return Told(error.problem, error.final)
    return Told()


def _notice(notifier: Notifier, thread: Thread, call: Escalation) -> Notice:
    said = [message for message in history.messages(thread.id, newest=NEWEST) if message.direction == "in"]
    since = thread.owed_since if thread.owed_since is not None else call.whys[-1].at
    waiting = [message for message in said if message.owes and not message.deleted]
    if thread.owed_since is not None:
        waiting = [message for message in waiting if message.time >= since]
    return notifier.wording.notify(
        notifier.now(),
        customer=thread.name or _group_member(waiting) or thread.to,
        channel=thread.channel,
        said="\n".join(_words(message) for message in waiting[-SAID_MOST:]),
        reasons=[why.why for why in call.whys],
        since=since,
        thread=thread.id,
    )


def _group_member(messages: list[Message]) -> str:
    return messages[-1].by if messages else ""


def _words(message: Message) -> str:
    what = message.media[0].kind if message.media else message.detail or message.kind
    return message.text or f"[{what}]"
