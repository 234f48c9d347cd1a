"""What may be wrong with a connection, each with one word for scripts and a sentence for people."""

import json
import secrets as random
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

import urllib3
from pydantic import ValidationError

from infra.cli.activity import Activity
from infra.cli.answers import SECRET, TOKEN
from infra.cli.connect import SLACK_FORM, unsigned
from infra.cli.errors import Refused
from infra.cli.place import Place
from sportello.aws import secrets
from sportello.channels.base import Channel, ConnectError, Connection, Finding, Question
from sportello.channels.http import Http
from sportello.domain.desk import Desk
from sportello.domain.model import Instant, Model
from sportello.domain.staff import Target

VERIFY_TOKEN = "verify_token"  # noqa: S105 - a name


class Checked(Model):
    """One connection, and what is wrong with it."""

    channel: str
    connection: str
    accounts: tuple[str, ...] = ()
    """Names where there are any, else ids."""
    last: Instant | None = None
    """When a customer wrote last; None: never, as far as the table was read."""
    findings: tuple[Finding, ...] = ()

    @property
    def broken(self) -> bool:
        return any(finding.level == "fault" for finding in self.findings)


def fault(code: str, text: str) -> Finding:
    return Finding(level="fault", code=code, text=text)


def check_channel(channel: Channel, place: Place, http: Http, activity: Activity) -> list[Checked]:
    """Every connection of a channel, by name."""
    texts = secrets.read_secrets(channel.name)
    read = {name: _read(name, text) for name, text in sorted(texts.items())}
    connections = [found for found in read.values() if isinstance(found, Connection)]
    checked = []
    for name, found in read.items():
        where = (channel.name, name)
        findings: list[Finding] = [found] if isinstance(found, Finding) else []
        accounts: tuple[str, ...] = ()
        if isinstance(found, Connection):
            accounts = tuple(account.name or account.id for account in found.accounts)
            findings += _of_connection(channel, found, connections)
            findings += _at_the_platform(channel, found, place, http)
        findings += _here(channel, name, found, place)
        if stuck := activity.stuck.get(where, 0):
            text = f"{stuck} messages wait: the platform refuses the token or the account. Connect again"
            findings.append(fault("sends_wait", text))
        checked.append(
            Checked(
                channel=channel.name,
                connection=name,
                accounts=accounts,
                last=activity.last.get(where) or None,
                findings=tuple(findings),
            )
        )
    return checked


# --- the secret ----------------------------------------------------------------------------------------


def _read(name: str, text: str) -> Connection | Finding:
    try:
        value = json.loads(text)
    except ValueError:
        return fault("secret_unreadable", "the secret is no JSON: connect again")
    try:
        return Connection.model_validate({**value, "name": name} if isinstance(value, dict) else value)
    except ValidationError as error:
        fields = sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]})
        where = f" ({', '.join(fields)})" if fields else ""
        return fault("secret_incomplete", f"the secret is not a connection{where}: connect again")


def _of_connection(
    channel: Channel, connection: Connection, all_of_channel: Sequence[Connection]
) -> Iterator[Finding]:
    missing = [question.name for question in channel.questions if not _answered(question, connection)]
    if SECRET in missing:
        text = "there is no current secret to check webhooks with"
        older = " (only a previous one)" if any(connection.secrets) else ""
        yield fault("secret_missing", f"{text}{older}: connect again")
    if rest := [name for name in missing if name != SECRET]:
        yield fault("secret_incomplete", f"missing in the secret: {', '.join(rest)}. Connect again")
    if not connection.accounts:
        yield fault("no_account", "it has no account, so all that comes goes to quarantine: connect again")
    ours = {account.id for account in connection.accounts}
    for other in all_of_channel:
        shared = ours & {account.id for account in other.accounts}
        if other.name != connection.name and shared:
            text = f"{', '.join(sorted(shared))} is connected as {other.name} too: remove one of the two"
            yield fault("connected_twice", text)


def _answered(question: Question, connection: Connection) -> bool:
    if question.optional:
        return True
    if question.name == TOKEN:
        return bool(connection.token)
    if question.name == SECRET:
        return bool(connection.secrets and connection.secrets[0])
    # What was asked for only to find the accounts is answered where they are known.
    return bool(connection.settings.get(question.name)) or (not question.made and bool(connection.accounts))


# --- the platform --------------------------------------------------------------------------------------


def _at_the_platform(channel: Channel, connection: Connection, place: Place, http: Http) -> Iterator[Finding]:
    """Where the token is refused, nothing more is asked: every answer would be the same."""
    try:
        known = {account.id for account in channel.probe(connection, http).accounts}
    except ConnectError as error:
        yield fault(error.code, str(error))
        return
    if strange := [account.id for account in connection.accounts if account.id not in known]:
        named = f"it is of {', '.join(sorted(known))}" if known else "it is of no account"
        yield fault("other_account", f"the token is not of {', '.join(strange)}: {named}. Connect again")
    try:
        url = place.webhook(channel.name, connection.name) if channel.webhooks else ""
        yield from channel.examine(connection, url, http)
    except Refused:
        return  # told by _here
    except ConnectError as error:
        yield fault(error.code, str(error))


# --- our own side ----------------------------------------------------------------------------------------


def _here(channel: Channel, name: str, found: Connection | Finding, place: Place) -> Iterator[Finding]:
    if not channel.webhooks:
        return
    try:
        url = place.webhook(channel.name, name)
    except Refused as refused:
        yield fault("no_function", str(refused))
        return
    status = unsigned(url)
    if status == 404:
        yield fault("dormant", "our function does not know this connection: look at its log, deploy again")
    elif status == 503 and isinstance(found, Finding):
        pass  # the function says the same of the secret
    elif status != 401:
        told = f"answers {status}" if status else "does not answer"
        yield fault("not_live", f"our function {told} to an unsigned request, where 401 is right")
    elif isinstance(found, Connection) and _has_handshake(channel) and not _shakes_hands(url, found):
        text = "our function refuses the stored verify token: wait 5 minutes after a change, or connect again"
        yield fault("handshake_refused", text)


def _has_handshake(channel: Channel) -> bool:
    """Meta's, which anybody who has the verify token can play."""
    return any(question.name == VERIFY_TOKEN for question in channel.questions)


def _shakes_hands(url: str, connection: Connection) -> bool:
    challenge = random.token_hex(8)
    token = connection.settings.get(VERIFY_TOKEN, "")
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge})
    try:
        answer = urllib3.request("GET", f"{url}?{query}", timeout=15.0, retries=False, redirect=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200 and answer.data == challenge.encode()


# --- the people --------------------------------------------------------------------------------------------


def check_people(desk: Desk, hooks: Mapping[str, str]) -> list[Checked]:
    """Whether everybody whom the desk names can be told."""
    named: dict[str, list[str]] = {}
    for who, target in _told(desk):
        if target.slack:
            named.setdefault(target.slack, []).append(who)
    checked = []
    for name in sorted(named.keys() | hooks.keys()):
        findings = []
        if name not in hooks:
            text = f"no such Slack channel is connected, and {', '.join(named[name])} is told there"
            findings.append(fault("slack_missing", f"{text}: sportello connect slack --name {name}"))
        elif not SLACK_FORM.fullmatch(hooks[name]):
            text = "the stored address is no incoming webhook of Slack: connect it again"
            findings.append(fault("slack_malformed", text))
        elif name not in named:
            text = "nobody in templates/desk.yaml is told there"
            findings.append(Finding(level="warning", code="slack_unused", text=text))
        checked.append(Checked(channel="slack", connection=name, findings=tuple(findings)))
    return checked


def _told(desk: Desk) -> Iterator[tuple[str, Target]]:
    """Everybody who can be told, and where: teams, people on call, and who a level names."""
    for name, team in desk.teams.items():
        yield from ((name, target) for target in team.tell)
    for name, person in desk.people.items():
        yield from ((name, target) for target in person.tell)
    for number, level in enumerate(desk.escalation.levels, start=1):
        yield from ((f"level {number}", target) for target in level.tell if isinstance(target, Target))
