"""``connect``: ask, check the token, store the secret, wait until the webhook is live, register it.

Secrets are asked for without being shown, or read from the environment; never from the command line,
where every program of the machine can read them.
"""

import json
import os
import re
import secrets as random
import sys
import time
from collections.abc import Callable, Mapping
from typing import Annotated

import typer
import urllib3
from rich.text import Text

from infra.cli.errors import Refused
from infra.cli.place import Place
from infra.cli.work import bundle, command, console, place_of
from sportello.aws import secrets
from sportello.aws.environment import environment
from sportello.channels.base import Account, Channel, Connection
from sportello.channels.http import Http
from sportello.workers import channel as channel_of

LIVE_SECONDS = 60.0
LOOK_SECONDS = 1.0
KEPT_MINUTES = secrets.KEPT_SECONDS // 60
SLACK_FORM = re.compile(r"https://hooks\.slack(-gov)?\.com/services/[A-Za-z0-9_/-]+")

app = typer.Typer(no_args_is_help=True, help="Connect an account of ours at a platform.")

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the connection; part of its address.")]


@app.command()
def telegram(
    context: typer.Context,
    name: Name = "main",
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Let Telegram sign with a new secret.")
    ] = False,
) -> None:
    """Connect a bot. Asks for its token (or reads SPORTELLO_TOKEN)."""
    place, http = _enter(context, name)
    before = _before("telegram", name)
    token = _secret("SPORTELLO_TOKEN", "Token of the bot, from @BotFather")
    secret = random.token_urlsafe(32) if new_secret or before is None else before.secrets[0]
    channel = channel_of("telegram")
    draft = Connection(name=name, secrets=(secret,), token=token)
    bot = channel.probe(draft, http)
    _say(f"The token is good: @{bot['name']}.")
    account = Account(id=str(bot["id"]), name=str(bot["name"]))
    connection = _with_previous(draft.model_copy(update={"accounts": (account,)}), before)
    _refuse_twice(channel, connection)
    _store(channel, connection, before)
    url = place.webhook("telegram", name)
    _wait_until_live(url, _answers_unsigned)
    _register(channel, connection, url, http)


@app.command()
def whatsapp(
    context: typer.Context,
    name: Name = "main",
    number: Annotated[
        list[str] | None,
        typer.Option("--number", metavar="ID", help="Phone number id (WhatsApp > API Setup); repeatable."),
    ] = None,
    waba: Annotated[str, typer.Option("--waba", metavar="ID", help="WhatsApp Business Account id.")] = "",
) -> None:
    """Connect business numbers (Cloud API).

    Asks for the access token and the app secret, or reads SPORTELLO_TOKEN and SPORTELLO_APP_SECRET; the
    verify token is made up, or SPORTELLO_VERIFY_TOKEN.
    """
    place, http = _enter(context, name)
    before = _before("whatsapp", name)
    settings: Mapping[str, str] = before.settings if before else {}
    numbers = number or _asked("Phone number id (WhatsApp > API Setup)", _first_account(before)).split()
    waba = waba or _asked("WhatsApp Business Account id", settings.get("waba_id", ""))
    token = _secret("SPORTELLO_TOKEN", "Access token of the system user")
    app_secret = _secret("SPORTELLO_APP_SECRET", "App secret (App settings > Basic)")
    verify = os.environ.get("SPORTELLO_VERIFY_TOKEN") or settings.get("verify_token")
    verify = verify or random.token_urlsafe(24)
    draft = Connection(
        name=name,
        secrets=(app_secret,),
        token=token,
        accounts=tuple(Account(id=id) for id in dict.fromkeys(numbers)),
        settings={**settings, "waba_id": waba, "verify_token": verify},
    )
    channel = channel_of("whatsapp")
    found = channel.probe(draft, http)["accounts"]
    accounts = tuple(Account(id=item["id"], name=item["display_phone_number"]) for item in found)
    _say(f"The token is good: {', '.join(account.name or account.id for account in accounts)}.")
    connection = _with_previous(draft.model_copy(update={"accounts": accounts}), before)
    _refuse_twice(channel, connection)
    _store(channel, connection, before)
    url = place.webhook("whatsapp", name)
    _wait_until_live(url, lambda address: _answers_challenge(address, verify))
    _register(channel, connection, url, http)


@app.command()
def slack(context: typer.Context, name: Name = "care") -> None:
    """Connect a Slack channel, where people are told.

    Asks for the address of its incoming webhook, or reads SPORTELLO_SLACK_URL.
    """
    _enter(context, name)
    url = _secret("SPORTELLO_SLACK_URL", "Address of the incoming webhook")
    if not SLACK_FORM.fullmatch(url):
        raise Refused(
            "that is no incoming webhook of Slack: it begins with https://hooks.slack.com/services/"
        )
    secrets.write_secret("slack", name, url)
    teams = [
        team
        for team, told in bundle().desk.teams.items()
        if any(target.slack == name for target in told.tell)
    ]
    _say(f"Stored; functions take it within {KEPT_MINUTES} minutes.")
    if teams:
        _say(f"Told there: {', '.join(teams)}.")
    else:
        _say(f"Left to do: no team is told there. Write under a team in templates/desk.yaml: - slack: {name}")


# --- what the three share --------------------------------------------------------------------------


def _enter(context: typer.Context, name: str) -> tuple[Place, Http]:
    if not re.fullmatch(r"[a-z0-9-]{1,32}", name):
        raise Refused(f"{name!r} is no name of a connection: 1 to 32 of a-z, 0-9 and -.")
    place = place_of(context)
    return place, Http(environment().platforms)


def _before(channel: str, name: str) -> Connection | None:
    return secrets.read_connections(channel).get(name)


def _first_account(before: Connection | None) -> str:
    return " ".join(account.id for account in before.accounts) if before else ""


def _secret(variable: str, question: str) -> str:
    """From the environment, else asked for without showing it."""
    value = os.environ.get(variable, "")
    if not value:
        if not sys.stdin.isatty():
            raise Refused(f"{question}: set {variable}, or run this in a terminal.")
        value = str(typer.prompt(question, hide_input=True))
    value = value.strip()
    if not value or not value.isascii() or any(character.isspace() for character in value):
        raise Refused(f"{question}: empty, or holds spaces or accents: copy it again, whole.")
    return value


def _asked(question: str, known: str) -> str:
    return str(typer.prompt(question, default=known or None)).strip()


def _with_previous(connection: Connection, before: Connection | None) -> Connection:
    """What was signed with until now is good for a while; an account that changes is another connection."""
    if before is None:
        return connection
    old, new = ({account.id for account in one.accounts} for one in (before, connection))
    if old and new and not old & new:
        raise Refused(
            f"the connection {connection.name} is another account's ({', '.join(sorted(old))}), whose "
            "conversations would be cut off. Give this one a name of its own: --name NAME"
        )
    current = connection.secrets[0]
    previous = [secret for secret in before.secrets if secret != current][:1]
    return connection.model_copy(update={"secrets": (current, *previous)})


def _refuse_twice(channel: Channel, connection: Connection) -> None:
    """An account belongs to one connection: two addresses would take its messages from each other."""
    ours = {account.id for account in connection.accounts}
    for other in secrets.read_connections(channel.name).values():
        if other.name != connection.name and ours & {account.id for account in other.accounts}:
            raise Refused(f"this account is connected already, as {other.name}: use --name {other.name}")


def _store(channel: Channel, connection: Connection, before: Connection | None) -> None:
    text = json.dumps(connection.model_dump(mode="json", exclude={"name"}, exclude_defaults=True))
    secrets.write_secret(channel.name, connection.name, text)
    _say(f"Stored as /{environment().stack}/{channel.name}/{connection.name}.")
    if before and before.secrets[0] != connection.secrets[0]:
        _say(
            f"Running functions take the new secret within {KEPT_MINUTES} minutes; "
            "what they refuse till then is delivered again."
        )


def _wait_until_live(url: str, live: Callable[[str], tuple[bool, int]]) -> None:
    """Functions look for an unknown connection again at most every 15 s."""
    until = time.monotonic() + LIVE_SECONDS
    with console.status("Waiting until the webhook is live"):
        while True:
            is_live, status = live(url)
            if is_live:
                break
            if time.monotonic() > until:
                told = f"answers {status}" if status else "does not answer"
                raise Refused(
                    f"the secret is stored, but after {LIVE_SECONDS:.0f} s {url} {told}. "
                    "Look at the function's log, then connect again."
                )
            time.sleep(LOOK_SECONDS)
    _say(f"Live: {url}")


def _answers_unsigned(url: str) -> tuple[bool, int]:
    """A request that nobody signed is refused with 401 where the connection is known."""
    status, _ = _request("POST", url)
    return status == 401, status


def _answers_challenge(url: str, verify_token: str) -> tuple[bool, int]:
    challenge = random.token_hex(8)
    query = {"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": challenge}
    status, body = _request("GET", url, query)
    return status == 200 and body == challenge, status


def _request(method: str, url: str, fields: Mapping[str, str] | None = None) -> tuple[int, str]:
    try:
        answer = urllib3.request(
            method, url, fields=dict(fields) if fields else None, timeout=15.0, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError:
        return 0, ""
    return answer.status, answer.data.decode("utf-8", "replace")


def _register(channel: Channel, connection: Connection, url: str, http: Http) -> None:
    left = channel.register(connection, url, http)
    if left:
        _say(left)
    _say(f"Then see who writes: {command()} threads")


def _say(text: str) -> None:
    console.print(Text(text), soft_wrap=True)
