"""``doctor``: every connection, looked at from the platform's side and from ours."""

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from infra.cli import activity
from infra.cli.channels import channel_names
from infra.cli.checks import Checked, check_channel, check_people
from infra.cli.hook import FOLDER, check_hook
from infra.cli.printable import printable
from infra.cli.times import shown_time
from infra.cli.work import bundle, console, place_of
from sportello.aws import secrets
from sportello.aws.carrier import Carrier
from sportello.aws.environment import environment
from sportello.workers import channel as channel_of


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Examine every connection: secret, token, webhook, our own address, last message.

    Asks each platform with the stored token, and our functions without one; reads up to 50 MB of the
    table. Exits with 1 where something is at fault.
    """
    place = place_of(context)
    desk = bundle().desk
    seen = activity.look()
    http = Carrier(environment().platforms)
    checked = [
        found for name in channel_names() for found in check_channel(channel_of(name), place, http, seen)
    ]
    checked += check_people(desk, secrets.read_secrets("slack"))
    checked += check_hook(desk)
    if as_json:
        console.file.write(_json(checked, seen.whole))
    else:
        _print(checked, desk.time_zone, whole=seen.whole)
    if any(found.broken for found in checked):
        raise typer.Exit(1)


def _json(checked: list[Checked], whole: bool) -> str:
    content = {"whole_table": whole, "connections": [found.model_dump(mode="json") for found in checked]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _print(checked: list[Checked], zone: str, *, whole: bool) -> None:
    if not checked:
        console.print("Nothing is connected yet: sportello connect --help")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("connection", "accounts", "last message", "state"):
        table.add_column(heading, overflow="fold")
    for found in checked:
        name, accounts = f"{found.channel}/{found.connection}", printable(", ".join(found.accounts))
        table.add_row(Text(name), Text(accounts), Text(_last(found, zone, whole)), _state(found))
    console.print(table)
    for found in checked:
        for finding in found.findings:
            style = "red" if finding.level == "fault" else "yellow"
            where = f"{found.channel}/{found.connection}"
            line = f"{where}: {finding.code}: {printable(finding.text)}"
            console.print(Text(line, style), soft_wrap=True)


def _last(found: Checked, zone: str, whole: bool) -> str:
    if found.channel in ("slack", FOLDER):
        return ""
    if found.last is None:
        return "never" if whole else "none in what was read"
    return shown_time(found.last, zone)


def _state(found: Checked) -> Text:
    if found.broken:
        return Text("fault", "red")
    return Text("warning", "yellow") if found.findings else Text("good", "green")
