"""``check`` and ``redrive``: before a change, and after trouble."""

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.times import shown_time
from infra.cli.work import TEMPLATES, bundle, console, place_of
from sportello.aws.clock import now, real_now
from sportello.aws.environment import environment
from sportello.domain.front import calendar_of_front


class What(StrEnum):
    QUARANTINE = "quarantine"
    OUTBOX = "outbox"
    ESCALATIONS = "escalations"
    MEDIA = "media"
    CONSULT = "consult"
    MAIL = "mail"
    FAILED = "failed"


def check() -> None:
    """Check templates/: every mistake with its file and line, and what to write instead."""
    loaded = bundle()
    desk = loaded.desk
    for warning in loaded.warnings:
        console.print(Text(f"warning: {warning}", "yellow"), soft_wrap=True)
    moment = real_now()
    calendar = calendar_of_front(desk)
    opening = calendar.next_opening(moment)
    if calendar.is_open(moment):
        when = "It is open now."
    else:
        when = "" if opening is None else f"It opens next on {shown_time(opening, desk.time_zone)}."
    text = f"{TEMPLATES.name}/ is in order: {desk.name}, {desk.hours}. {when}"
    console.print(Text(text.rstrip()), soft_wrap=True)


def redrive(
    context: typer.Context,
    what: Annotated[
        What | None, typer.Argument(metavar="WHAT", help="Only this; default: all of them.")
    ] = None,
) -> None:
    """Try again what got stuck, after its cause is mended.

    quarantine: signed bodies that could not be read, through today's parser. outbox, escalations, media,
    consult, mail: dead letters. failed: people's replies that failed because the platform was busy or our
    token expired, in threads that still owe an answer.
    """
    place = place_of(context)
    from sportello.mailroom import once_more
    from sportello.services import redrive as service
    from sportello.workers import channel, connection

    work = service.Redrive(
        desk=bundle().desk,
        salt=environment().id_salt,
        channels=channel,
        connection=connection,
        now=now,
    )
    for one in (what,) if what else tuple(What):
        match one:
            case What.QUARANTINE:
                counts = service.bodies(work)
            case What.OUTBOX:
                counts = service.letters(place.output("OutboxDeadLettersUrl"))
            case What.ESCALATIONS:
                counts = service.letters(place.output("EscalationDeadLettersUrl"))
            case What.MEDIA:
                counts = service.letters(place.output("MediaDeadLettersUrl"))
            case What.CONSULT:
                counts = service.letters(place.output("ConsultDeadLettersUrl"))
            case What.MAIL:
                counts = once_more(place.output("MailDeadLettersUrl"))
            case What.FAILED:
                counts = service.replies(work)
        console.print(f"{one}: {_told(counts)}")


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in counts.items()) or "nothing"
