"""Lines of a scenario as the events that ``decide`` judges."""

from collections.abc import Sequence

from infra.simulate.lines import Acts, Writes
from sportello.channels.found import channel
from sportello.domain.events import (
    Claim,
    Customer,
    Inbound,
    Kind,
    PersonReply,
    Resolve,
    Spoken,
    Wanted,
)
from sportello.domain.offers import NO, YES
from sportello.domain.thread import Thread


def inbound(line: Writes, thread: Thread, number: int) -> Inbound:
    """The ``number``-th message of a conversation, as the channel would parse it."""
    acts = channel(line.channel).acts if line.public else frozenset()
    return Inbound(
        account=thread.account,
        customer=Customer(id=line.sender, address=line.sender, name=line.sender, language=line.language),
        id=f"message-{number}",
        time=line.at,
        sequence=number,
        kind=_kind(line),
        text=(line.text if line.reaction is None else line.reaction) or "",
        media=tuple(file.media(f"file-{number}-{place}") for place, file in enumerate(line.media)),
        payload=_OFFERED.get(line.button or "", line.button or ""),
        public=line.public,
        automatic=line.automatic,
        addressed=line.addressed,
        attested=line.attested,
        ref=line.ref,
        acts=tuple(sorted(acts - {"reply"})),
    )


_OFFERED = {"yes": YES, "no": NO}
"""The buttons under an answer of ours, as people call them."""


def _kind(line: Writes) -> Kind:
    if line.kind is not None:
        return Kind(line.kind)
    if line.reaction is not None:
        return Kind.REACTION
    if line.button is not None:
        return Kind.BUTTON
    return Kind.MEDIA if line.media else Kind.TEXT


def person_act(
    act: Acts, action: str, heard: Sequence[Inbound]
) -> PersonReply | Spoken | Wanted | Resolve | Claim:
    """``heard``: the customer's messages so far; the person has read them all."""
    by, at = act.agent, act.at
    if act.reply is not None:
        return PersonReply(by=by, action=action, at=at, text=act.reply, promise=act.promise)
    if act.language is not None:
        return Spoken(by=by, action=action, at=at, language=act.language)
    if act.wanted is not None:
        last = heard[-1]
        return Wanted(by=by, action=action, at=at, since=last.time or at, first=last.text)
    if "resolve" in act.model_fields_set:
        code = act.resolve if isinstance(act.resolve, str) else ""
        return Resolve(by=by, action=action, at=at, code=code)
    return Claim(by=by, action=action, at=at)
