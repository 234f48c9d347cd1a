"""``connect``: ask, check with the platform, store the secret, wait until the webhook is live, register it.

One command per channel, all alike: what differs is in the channel's ``questions``, ``probe`` and
``register``. ``connect slack`` is about people who are told, not about customers.
"""

import json
import re
import time
from typing import Annotated, Any

import typer
import urllib3
from rich.text import Text
from typer.core import TyperGroup

from infra.cli.answers import answer_of, draft, read_settings, told
from infra.cli.channels import channel_names
from infra.cli.errors import Refused, sentence
from infra.cli.place import Place
from infra.cli.work import bundle, command, console, place_of
from sportello.aws import secrets
from sportello.aws.carrier import Carrier
from sportello.aws.environment import environment
from sportello.channels.base import Account, Channel, ConnectError, Connection, Probed, Question
from sportello.channels.http import Http
from sportello.workers import channel as channel_of

LIVE_SECONDS = 60.0
LOOK_SECONDS = 1.0
KEPT_MINUTES = secrets.KEPT_SECONDS // 60
SLACK_FORM = re.compile(r"https://hooks\.slack(-gov)?\.com/services/[A-Za-z0-9_/-]+")
SLACK_QUESTION = Question(name="slack_url", text="Address of the incoming webhook", secret=True)


class Commands(TyperGroup):
    """A channel's module is loaded when its help is shown, not whenever the command line starts."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is not None and cmd_name in channel_names():
            channel = channel_of(cmd_name)
            found.help = f"Connect an account of ours at {cmd_name}.\n\n{told(channel)}"
        return found


app = typer.Typer(cls=Commands, no_args_is_help=True, help="Connect an account of ours at a platform.")

Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the connection; part of its address.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An answer that is no secret; repeatable."),
]
NewSecret = Annotated[
    bool, typer.Option("--new-secret", help="Make up anew what is made up: webhook secret, verify token.")
]


def connect_channel(
    context: typer.Context,
    name: Name = "main",
    given: Settings = None,
    new_secret: NewSecret = False,
) -> None:
    """The channel is the command's own name."""
    place, http = _enter(context, name)
    channel = channel_of(context.info_name or "")
    before = secrets.read_connections(channel.name).get(name)
    asked = draft(channel, name, before, read_settings(given or ()), renew=new_secret)
    probed = channel.probe(asked, http)
    _say(f"Checked: {', '.join(account.name or account.id for account in probed.accounts)}.")
    connection = _with_previous(_as_probed(asked, probed, before), before)
    _refuse_twice(channel, connection)
    url = place.webhook(channel.name, name) if channel.webhooks else ""
    if channel.keeps_url:
        connection = connection.model_copy(update={"settings": {**connection.settings, "url": url}})
    _store(channel, connection, before)
    if url:
        _wait_until_live(url)
    _register(channel, connection, before, url, http)


for _name in channel_names():
    app.command(_name)(connect_channel)


@app.command()
def slack(context: typer.Context, name: Name = "care") -> None:
    """Connect a Slack channel, where people are told.

    Asks for the address of its incoming webhook, or reads SPORTELLO_SLACK_URL.
    """
    _enter(context, name)
    url = answer_of(SLACK_QUESTION, "", {})
    if not SLACK_FORM.fullmatch(url):
        raise Refused(
            "that is no incoming webhook of Slack: it begins with https://hooks.slack.com/services/"
        )
    secrets.write_secret("slack", name, url)
    teams = [
        team for team, of in bundle().desk.teams.items() if any(target.slack == name for target in of.tell)
    ]
    _say(f"Stored; functions take it within {KEPT_MINUTES} minutes.")
    if teams:
        _say(f"Told there: {', '.join(teams)}.")
    else:
        _say(f"Left to do: no team is told there. Write under a team in templates/desk.yaml: - slack: {name}")


# --- step by step ------------------------------------------------------------------------------------


def _enter(context: typer.Context, name: str) -> tuple[Place, Http]:
    if not re.fullmatch(r"[a-z0-9-]{1,32}", name):
        raise Refused(f"{name!r} is no name of a connection: 1 to 32 of a-z, 0-9 and -.")
    place = place_of(context)
    return place, Carrier(environment().platforms)


def _as_probed(asked: Connection, probed: Probed, before: Connection | None) -> Connection:
    """With the accounts that the platform names; each keeps the role that it was given."""
    roles = {account.id: account.role for account in (before.accounts if before else ())}
    accounts = tuple(
        Account(id=account.id, name=account.name, role=roles.get(account.id, account.role))
        for account in probed.accounts
    )
    return asked.model_copy(update={"accounts": accounts, "settings": {**asked.settings, **probed.settings}})


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
    current = connection.secrets[:1]
    previous = [secret for secret in before.secrets if secret and secret not in current][:1]
    return connection.model_copy(update={"secrets": (*current, *previous)})


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
    if _is_new(connection, before):
        _say(
            f"Running functions take the new secret within {KEPT_MINUTES} minutes; "
            "what they refuse till then is delivered again."
        )


def _is_new(connection: Connection, before: Connection | None) -> bool:
    """Whether running functions still check with another secret."""
    return before is not None and before.secrets[:1] != connection.secrets[:1]


def _wait_until_live(url: str) -> None:
    """Functions look for an unknown connection again at most every 15 s; a known one answers 401 unsigned."""
    until = time.monotonic() + LIVE_SECONDS
    with console.status("Waiting until the webhook is live"):
        while (status := unsigned(url)) != 401:
            if time.monotonic() > until:
                told = f"answers {status}" if status else "does not answer"
                raise Refused(
                    f"the secret is stored, but after {LIVE_SECONDS:.0f} s {url} {told}. "
                    "Look at the function's log, then connect again."
                )
            time.sleep(LOOK_SECONDS)
    _say(f"Live: {url}")


def unsigned(url: str) -> int:
    """What our webhook answers to a request that nobody signed: 401 where the connection is known."""
    try:
        return urllib3.request("POST", url, timeout=15.0, retries=False, redirect=False).status
    except urllib3.exceptions.HTTPError:
        return 0


def _register(
    channel: Channel, connection: Connection, before: Connection | None, url: str, http: Http
) -> None:
    try:
        left = channel.register(connection, url, http)
    except ConnectError as error:
        if not _is_new(connection, before):
            raise
        raise Refused(
            f"{sentence(error)} If it is the new secret: functions take it within {KEPT_MINUTES} minutes. "
            "Connect again then."
        ) from None
    if left:
        _say(left)
    _say(f"Then see who writes: {command()} threads")


def _say(text: str) -> None:
    console.print(Text(text), soft_wrap=True)
