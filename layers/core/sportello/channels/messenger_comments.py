"""Page comments and visitors' posts: public threads, one per post and author.

Field ``feed``: ``value{item, verb, comment_id, post_id, parent_id, from{id,name}, message, created_time}``;
older bodies give ``sender_id`` and ``sender_name``. A comment whose ``from`` is the Page is our own: what
it answers is named, whom it answers is not, so it belongs to no thread. Source: "Webhooks reference:
Page, feed" (Graph v26.0).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sportello.channels.graph import Malformed, instant, label, needed, record, word
from sportello.channels.meta_addresses import COMMENT, POST
from sportello.channels.meta_parties import Where
from sportello.domain.events import Customer, Delete, Edit, Ignored, Inbound, Kind, Media, PlatformEvent
from sportello.domain.model import Instant

Json = Mapping[str, Any]

_POSTS = frozenset({"post", "status", "photo", "video"})
_EDITED = frozenset({"edit", "edited"})


def comment_events(change: Json, where: Where) -> Sequence[PlatformEvent]:
    """The events of one ``changes[]`` item."""
    field = label(word(change, "field"))
    reader = {"feed": _feed, "mention": _mention}.get(field)
    if reader is None:
        return [Ignored(account=where.account, why=field)]
    return [reader(record(change, "value"), where)]


def _feed(value: Json, where: Where) -> PlatformEvent:
    item, verb = word(value, "item"), word(value, "verb")
    what = f"feed {label(item)} {label(verb)}"
    if _author(value)[0] in where.own:
        return Ignored(account=where.account, why=f"own {what}")
    if item != "comment" and item not in _POSTS:
        return Ignored(account=where.account, why=what)
    if verb in ("remove", *_EDITED) and not _author(value)[0]:
        return Ignored(account=where.account, why=f"{what} without author")
    reader = _VERBS.get("edited" if verb in _EDITED else verb)
    return reader(value, where) if reader else Ignored(account=where.account, why=what)


def _add(value: Json, where: Where) -> Inbound:
    id, post = _id(value), needed(value, "post_id")
    text, media = word(value, "message"), _media(value, id)
    parent = word(value, "parent_id")
    kind = Kind.MEDIA if media else Kind.TEXT if text else Kind.UNSUPPORTED
    return Inbound(
        account=where.account,
        customer=_customer(value, id),
        id=id,
        time=instant(value, "created_time"),
        kind=kind,
        text=text,
        media=media,
        quote=parent if id != post and parent != post else "",
        public=True,
        detail="" if id != post else "visitor_post",
        fragment=dict(value) if kind is Kind.UNSUPPORTED else None,
        test=where.test,
    )


def _edited(value: Json, where: Where) -> Edit:
    id, time = _id(value), where.time or instant(value, "created_time")
    if time is None:
        raise Malformed("created_time is missing")
    return Edit(
        account=where.account,
        customer=_customer(value, id),
        original=id,
        time=time,
        text=word(value, "message"),
    )


def _remove(value: Json, where: Where) -> Delete:
    id = _id(value)
    return Delete(
        account=where.account, customer=_customer(value, id), originals=(id,), time=_when(value, where)
    )


def _when(value: Json, where: Where) -> Instant | None:
    return where.time or instant(value, "created_time")


def _id(value: Json) -> str:
    """The comment's id, or that of the post itself."""
    return needed(value, "comment_id") if word(value, "item") == "comment" else needed(value, "post_id")


def _author(value: Json) -> tuple[str, str]:
    author = record(value, "from")
    return (
        word(author, "id") or word(value, "sender_id"),
        word(author, "name") or word(value, "sender_name"),
    )


def _customer(value: Json, id: str) -> Customer:
    """Whoever cannot be shown has a thread for this one comment: it can be answered all the same."""
    post, (author, name) = needed(value, "post_id"), _author(value)
    address = f"{POST}{id}" if id == post else f"{COMMENT}{id}"
    return Customer(id=f"{post}:{author or id}", address=address, name=name)


def _media(value: Json, id: str) -> tuple[Media, ...]:
    found = [("image", word(value, "photo")), ("video", word(value, "video"))]
    if not any(url for _, url in found) and word(value, "item") in ("photo", "video"):
        kind = "image" if word(value, "item") == "photo" else "video"
        found = [(kind, word(value, "link"))]
    return tuple(
        Media.model_validate({"kind": kind, "id": f"{id}.{kind}", "url": url}) for kind, url in found if url
    )


def _mention(value: Json, where: Where) -> PlatformEvent:
    """Somebody named the Page elsewhere: shown, and nothing is owed."""
    author, verb = _author(value)[0], word(value, "verb")
    if verb != "add" or author in where.own:
        return Ignored(account=where.account, why=f"mention {label(verb)}")
    id, text = _id(value), word(value, "message")
    return Inbound(
        account=where.account,
        customer=_customer(value, id),
        id=id,
        time=instant(value, "created_time") or where.time,
        kind=Kind.TEXT if text else Kind.UNSUPPORTED,
        text=text,
        public=True,
        addressed=False,
        detail="mention",
        fragment=None if text else dict(value),
        test=where.test,
    )


_VERBS: dict[str, Callable[[Json, Where], PlatformEvent]] = {
    "add": _add,
    "edited": _edited,
    "remove": _remove,
}
"""``hide`` and ``unhide`` are the desk's own doing: the comment and its author stay."""
