"""Comments on an Instagram account's posts and reels: public threads, one per post and author.

Field ``comments``: ``value{id, text, from{id, username}, media{id}, parent_id}``; samples also have
``comment_id`` for ``id``. Bodies carry no time of the comment, and one on a boosted post may be told of
twice with different times: arrival counts, and the id tells the second one. Source: "Webhooks reference:
Instagram" (v26.0).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sportello.channels.graph import label, needed, record, word
from sportello.channels.meta_addresses import COMMENT, MENTION
from sportello.channels.meta_parties import Where
from sportello.domain.events import Customer, Ignored, Inbound, Kind, PlatformEvent

Json = Mapping[str, Any]


def comment_events(change: Json, where: Where) -> Sequence[PlatformEvent]:
    """The events of one ``changes[]`` item."""
    field, value = label(word(change, "field")), record(change, "value")
    if field in ("comments", "live_comments"):
        return [_comment(value, where, field)]
    if field == "mentions":
        return [_mention(value, where)]
    return [Ignored(account=where.account, why=field)]


def _comment(value: Json, where: Where, field: str) -> PlatformEvent:
    author = record(value, "from")
    writer = word(author, "id")
    if writer in where.own or "self_ig_scoped_id" in author:
        return Ignored(account=where.account, why="own comment")
    id, text = word(value, "id") or needed(value, "comment_id"), word(value, "text")
    parent = word(value, "parent_id")
    root = word(record(value, "media"), "id") or parent or id
    return Inbound(
        account=where.account,
        customer=Customer(
            id=f"{root}:{writer or id}", address=f"{COMMENT}{id}", name=word(author, "username")
        ),
        id=id,
        time=None,
        kind=Kind.TEXT if text else Kind.UNSUPPORTED,
        text=text,
        quote=parent,
        public=True,
        # During a broadcast people talk among themselves: shown, and nothing is owed.
        addressed=field == "comments",
        detail="live_comment" if field == "live_comments" else "",
        fragment=None if text else dict(value),
        test=where.test,
    )


def _mention(value: Json, where: Where) -> Inbound:
    """Somebody named the account below or in a post of their own; words and author are not told."""
    media, comment = needed(value, "media_id"), word(value, "comment_id")
    id = comment or media
    return Inbound(
        account=where.account,
        customer=Customer(
            id=f"{media}:{id}", address=f"{MENTION}{media}" + (f":{comment}" if comment else "")
        ),
        id=id,
        time=None,
        kind=Kind.UNSUPPORTED,
        public=True,
        addressed=False,
        detail="mention",
        fragment=dict(value),
        test=where.test,
    )
