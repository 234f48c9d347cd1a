"""``threads``, ``thread``, ``reply``, ``claim``, ``resolve``, ``want``: what people of the desk do."""

import sys
import time
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from infra.cli import shown
from infra.cli.errors import Refused
from infra.cli.lint import show
from infra.cli.times import read_time, shown_time
from infra.cli.work import bundle, command, console, page, person, place_of
from sportello.aws import enquiries, facts, history, outbox
from sportello.aws import threads as listing
from sportello.aws.clock import now
from sportello.channels.base import Act, Template
from sportello.domain.message import ENDED, Message, State
from sportello.domain.reasons import Reason
from sportello.services import reply as service

SEND_SECONDS = 10.0
"""How long ``reply`` waits to say what became of the message."""

FILE_MOST = 100_000_000

ThreadId = Annotated[str, typer.Argument(metavar="ID", help="The thread, as `threads` lists it.")]
As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who acts; default: your login.")]


def threads(
    context: typer.Context,
    owed: Annotated[bool, typer.Option("--owed", help="Only those that wait for an answer.")] = False,
    aside: Annotated[
        bool, typer.Option("--aside", help="Only those that left the queue: spam, newsletters, machines.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="How many at most.")] = 100,
) -> None:
    """List threads: who waits for an answer, the longest first, and then the newest others.

    Without --owed the whole table is scanned, for threads that owe nothing stand in no index.
    """
    place_of(context)
    desk = bundle().desk
    moment = now()
    if aside:
        put = [thread for thread in listing.newest(most) if thread.aside]
        page(shown.overview(put, desk.time_zone, moment) if put else Text("Nothing was set aside."))
        return
    waiting = [row for team in desk.teams for row in listing.owing_threads(team, limit=most)]
    waiting.sort(key=lambda row: row["owed_since"])
    parts: list[RenderableType] = (
        [shown.inbox(waiting[:most], moment)] if waiting else [Text("Nobody waits for an answer.")]
    )
    if not owed:
        others = [t for t in listing.newest(most) if not t.owes or t.team not in desk.teams]
        if others:
            parts += [Text(), shown.overview(others, desk.time_zone, moment)]
    page(*parts)


def thread(
    context: typer.Context,
    id: ThreadId,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="Newest messages shown.")] = 100,
) -> None:
    """Show a thread: every message with its state and the reasons of what was decided."""
    place_of(context)
    zone = bundle().desk.time_zone
    view = service.look(id, newest=most)
    calls = history.escalations(view.thread.id, newest=most)
    asked = enquiries.of(view.thread.id, newest=most)
    page(shown.conversation(view, calls, zone, now(), command(), facts.read(view.thread.id), asked))


def reply(
    context: typer.Context,
    id: ThreadId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; - reads it from the input.")],
    name: As = "",
    seen: Annotated[
        str,
        typer.Option("--seen", metavar="MESSAGE", help="The last one you read; default: the newest."),
    ] = "",
    template: Annotated[
        str, typer.Option("--template", metavar="NAME/LANGUAGE", help="Send this approved form instead.")
    ] = "",
    value: Annotated[
        list[str] | None, typer.Option("--value", metavar="TEXT", help="Fills the form's next gap.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Send this file with it.")
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="Answer a public post or comment in private.")
    ] = False,
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="TIME", help="For the time being: the full answer stays owed, and is watched."
        ),
    ] = "",
    despite: Annotated[
        bool, typer.Option("--despite", help="Send it although the guidelines block it, where they let you.")
    ] = False,
) -> None:
    """Answer a customer. It settles what you have seen: what came later stays owed.

    The text is read by templates/guidelines/ first: what blocks is not sent, what warns is shown. With
    --template the platform sends its form, and TEXT is what colleagues see of it.
    """
    form = _template(template, value or [])
    sent = service.File(file.name, _read(file), guess_type(file.name)[0] or "") if file else None
    place_of(context)
    desk = bundle().desk
    who = person(name, desk)
    said = sys.stdin.read() if text == "-" else text
    act: Act = "private" if private else "reply"
    row, decision = service.reply(
        who,
        id,
        said,
        seen=seen,
        template=form,
        act=act,
        file=sent,
        promise=read_time(by, desk.time_zone) if by else None,
        despite=despite,
        told=lambda remarks: show(remarks, said),
    )
    if Reason.UNSEEN_STAYS_OWED in decision.reasons:
        console.print("A newer message stays owed: you had not seen it.", style="yellow")
    if row.promise is not None:
        console.print(f"The full answer is owed by {shown_time(row.promise, desk.time_zone)}.")
    _report(outbox.Address(decision.thread.id, row.key), row)


def _read(file: Path) -> bytes:
    if file.stat().st_size > FILE_MOST:
        raise Refused(f"{file.name} is larger than {FILE_MOST // 1_000_000} MB, more than any channel takes")
    return file.read_bytes()


def hide(
    context: typer.Context,
    id: ThreadId,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id; default: the newest.")] = "",
    name: As = "",
) -> None:
    """Hide a public comment from everybody but its writer, where the channel can. Nothing is settled."""
    place_of(context)
    row = service.hide(person(name, bundle().desk), id, message)
    _report(outbox.Address(service.look(id, newest=1).thread.id, row.key), row)


def _template(named: str, values: list[str]) -> Template | None:
    name, _, language = named.partition("/")
    if not named and not values:
        return None
    if not name or not language:
        raise Refused("name the form and its language, e.g. --template order_news/it --value 12345")
    return Template(name=name, language=language, values=tuple(values))


def _report(address: outbox.Address, row: Message) -> None:
    """Say what became of it; a send that failed for good is this command's failure."""
    until = time.monotonic() + SEND_SECONDS
    while row.state not in ENDED and time.monotonic() < until:
        time.sleep(0.1)
        row = outbox.read(address)[1] or row
    if row.state is State.SENT:
        console.print("Sent.", style="green")
    elif row.state is State.FAILED:
        owed = " The customer waits for an answer." if _owes(address) else ""
        raise Refused(f"not sent: {row.problem} {row.code}".rstrip() + f".{owed}")
    elif row.state is State.UNKNOWN:
        raise Refused("not confirmed: the platform did not say whether it took the message.")
    else:
        what = f" ({row.problem}: it is tried again)" if row.problem else ""
        console.print(f"Committed, and waiting to be sent{what}: {command()} thread {address.thread}")


def _owes(address: outbox.Address) -> bool:
    """What failed gives back only the debt that it settled: a second answer or a hiding had none."""
    thread = outbox.read(address)[0]
    return thread is not None and thread.owes


def claim(context: typer.Context, id: ThreadId, name: As = "") -> None:
    """Take a thread: the desk does not speak by itself while you are at it."""
    place_of(context)
    who = person(name, bundle().desk)
    service.claim(who, id)
    console.print(f"Yours, {who.by}.")


def resolve(
    context: typer.Context,
    id: ThreadId,
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="CODE", help="Why, in a word; needed where it owes."),
    ] = "",
    name: As = "",
) -> None:
    """Close a thread. One that still owes an answer needs a reason."""
    if reason and not (len(reason) <= 32 and reason.replace("_", "").replace("-", "").isalnum()):
        raise Refused(f"{reason!r} is not a reason code: one word of up to 32 letters, e.g. spam")
    place_of(context)
    service.resolve(person(name, bundle().desk), id, reason)
    console.print("Resolved.")


def want(context: typer.Context, id: ThreadId, name: As = "") -> None:
    """Bring back what was set aside: it is owed an answer, and this customer is trusted from now on."""
    place_of(context)
    service.want(person(name, bundle().desk), id)
    console.print("It waits for an answer again.")


def language(
    context: typer.Context,
    id: ThreadId,
    code: Annotated[str, typer.Argument(metavar="LANGUAGE", help="One of the desk's, e.g. it.")],
    name: As = "",
) -> None:
    """Say in which language this customer is answered, whatever the platform or the words tell."""
    desk = bundle().desk
    if code not in desk.languages:
        raise Refused(f"the desk does not speak {code!r}; its languages are {', '.join(desk.languages)}")
    place_of(context)
    service.speak(person(name, desk), id, code)
    console.print(f"They are answered in {code} from now on.")
