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
from sportello.services.heard import BY_BYTES, CODE_BYTES, FIRST_BYTES, clip


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
    act: Acts, action: str, aside: Sequence[Inbound]
) -> PersonReply | Spoken | Wanted | Resolve | Claim:
    """``aside``: the customer's messages that asked for nothing. The person has read all there are."""
    by, at = act.agent, act.at
    if act.reply is not None:
        return PersonReply(by=by, action=action, at=at, text=act.reply, promise=act.promise)
    if act.language is not None:
        return Spoken(by=by, action=action, at=at, language=act.language)
    if act.wanted is not None:
        since = aside[-1].time if aside else at
        first = clip(aside[-1].text, FIRST_BYTES) or f"[{aside[-1].kind}]" if aside else ""
        return Wanted(by=by, action=action, at=at, since=since or at, first=first)
    if "resolve" in act.model_fields_set:
        code = act.resolve if isinstance(act.resolve, str) else ""
        return Resolve(by=by, action=action, at=at, code=clip(code, CODE_BYTES))
    return Claim(by=clip(by, BY_BYTES), action=action, at=at)
