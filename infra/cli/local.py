"""``say`` and ``clock``: customers and time on the local desk."""

import time
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.errors import Refused
from infra.cli.shown import message_text
from infra.cli.times import read_time, shown_time
from infra.cli.work import bundle, command, console, place_of
from infra.world.client import WorldClient
from infra.world.model import Said
from sportello.aws import clock as desk_clock
from sportello.aws import outbox, secrets
from sportello.aws.environment import environment
from sportello.domain import keys
from sportello.domain.front import calendar_of_front
from sportello.domain.language import language_of
from sportello.domain.message import ENDED, Message
from sportello.domain.model import Instant
from sportello.services.effects import CALL_KIND
from sportello.services.reply import NoThread, View, look

ANSWER_SECONDS = 15.0


def say(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="One that is connected, e.g. whatsapp.")],
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    sender: Annotated[str, typer.Option("--from", metavar="NAME", help="Which customer.")] = "Customer One",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="First set the desk's clock, e.g. 2026-11-23T20:15.")
    ] = "",
    language: Annotated[
        str, typer.Option("--language", help="Of the phone; default: the text's, else the desk's.")
    ] = "",
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="Not a text: media, location, button, ….")
    ] = "",
    media: Annotated[
        str, typer.Option("--media", metavar="MEDIA", help="Of --kind media: image, voice, document, ….")
    ] = "",
) -> None:
    """Write to the local desk as a customer: the signed webhook that the platform would send."""
    place = place_of(context)
    world = place.world()
    refuse_unknown(world, channel)
    desk = bundle().desk
    if at:
        set_clock(world, read_time(at, desk.time_zone))
    spoken = language or language_of(text, desk.languages) or desk.default_language
    act = {"kind": kind or ("media" if media else "text"), "media": media}
    said = world.say(channel, text, sender, account=account_of(channel), language=spoken, **act)
    _report(said, channel)


def refuse_unknown(world: WorldClient, channel: str) -> None:
    """Known is where a platform stands in for it; connected, where that knows an account of ours."""
    known = world.channels()
    if channel not in known:
        raise Refused(f"{channel!r} is no channel here; say one of: {', '.join(known)}")
    if not known[channel]:
        connected = ", ".join(name for name, accounts in known.items() if accounts)
        raise Refused(f"nothing is connected on {channel} here; say one of: {connected}")


def account_of(channel: str) -> str:
    """The first account of the channel's first connection."""
    for connection in secrets.read_connections(channel).values():
        if connection.accounts:
            return connection.accounts[0].id
    raise Refused(f"nothing is connected on {channel}: connect it, or start again with `make run`.")


def thread_of(channel: str, customer: str) -> str:
    """The thread of a customer by the id that the world's platform names them by.

    It may be an alias, as a WhatsApp number is: the row there points to the thread.
    """
    account = account_of(channel)
    return look(keys.thread_id(environment().id_salt, channel, account, customer), newest=1).thread.id


def _report(said: Said, channel: str) -> None:
    if said.note:
        raise Refused(f"the platform delivered nothing: {said.note}")
    if not 200 <= said.status < 300:
        raise Refused(f"the webhook answered {said.status or 'nothing'}; the platform tries again.")
    try:
        view = look(thread_of(channel, said.customer))
    except NoThread:
        console.print("Delivered (200).")
        return
    newest = max((m for m in view.messages if m.direction == "in"), key=lambda m: m.arrived)
    console.print(message_text(newest, view.thread))
    for row in _answers(view, newest):
        console.print(message_text(row, view.thread))
    console.print(Text(f"{command()} thread {view.thread.id}", "dim"))


def _answers(view: View, message: Message) -> list[Message]:
    """What the desk said by itself to this message, once it has been sent."""
    until = time.monotonic() + ANSWER_SECONDS
    found: list[Message] = []
    for key in message.effects:
        if key.endswith(f"~{CALL_KIND}"):
            continue
        row = outbox.read(outbox.Address(view.thread.id, key))[1]
        while row is not None and row.state not in ENDED and time.monotonic() < until:
            time.sleep(0.05)
            row = outbox.read(outbox.Address(view.thread.id, key))[1]
        found += [row] if row is not None else []
    return found


def clock(
    context: typer.Context,
    when: Annotated[
        str, typer.Argument(metavar="TIME|real", help="e.g. 2026-11-23T20:15; real: the time it is.")
    ] = "",
) -> None:
    """Show or set the local desk's clock."""
    place = place_of(context)
    world = place.world()
    desk = bundle().desk
    if when == "real":
        set_clock(world, None)
    elif when:
        set_clock(world, read_time(when, desk.time_zone))
    moment = desk_clock.now()
    is_open = "open" if calendar_of_front(desk).is_open(moment) else "closed"
    moved = "" if abs(desk_clock.offset()) < 1000 else " (moved; `clock real` sets it right)"
    console.print(f"{shown_time(moment, desk.time_zone)} {desk.time_zone}: {is_open}{moved}")


def set_clock(world: WorldClient, moment: Instant | None) -> None:
    """Desk and platforms together; None: the time it is."""
    offset = 0 if moment is None else moment - desk_clock.real_now()
    desk_clock.set_offset(offset)
    world.clock(offset)
