"""What customers do on X: posts, direct messages, reading, deleting.

``Say.kind``: ``text``, ``media``, ``location``, ``unsupported``, ``raw`` are direct messages, ``encrypted``
is a chat that only phones can read; ``mention``, ``reply``, ``quote`` (or ``comment``, a mention) are posts.
``Say.target`` of a reply is the post answered: the newest of ours if left out.
"""

from collections.abc import Callable
from typing import Any

from infra.world.model import Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import Absent
from infra.world.x_account import XAccount, activity, direct_message, iso, next_id, user, user_of, withheld
from sportello.domain.model import Instant

NO_ENTITIES: dict[str, Any] = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}


class Act:
    """One act of one customer towards one account: what the builders below share."""

    def __init__(self, stand_in: StandIn, say: Say) -> None:
        self.stand_in = stand_in
        self.state = stand_in.state
        self.say = say
        self.account: XAccount = self.state.account("x", say.account)
        self.person = self.state.person(say.sender)
        self.address = user_of(self.person)
        self.time: Instant = say.at if say.at is not None else self.state.now()
        self.id = next_id(self.state, self.time)

    def handle(self) -> str:
        return f"customer_{self.person.number}"

    def show(self, kind: str, text: str, quote: str = "") -> None:
        shown = Shown(id=self.id, direction="in", kind=kind, text=text, time=self.time, quote=quote)
        self.state.show("x", self.address, shown.model_copy(update={"account": self.account.id}))

    def event(self, kind: str, payload: dict[str, Any], includes: dict[str, Any] | None = None) -> Webhook:
        return activity(self.state, self.account, self.address, kind, payload, self.id, includes)


def build(stand_in: StandIn, say: Say) -> tuple[Webhook | None, str]:
    """The event of one act, shown on the phone; and why it will not be delivered, if so."""
    if say.kind not in ACTS:
        raise stand_in.unknown_kind(say, ACTS)
    act = Act(stand_in, say)
    kind, payload, includes = ACTS[say.kind](act)
    if not kind:
        return None, "X tells nobody"
    webhook = act.event(kind, payload, includes)
    if root := payload.get("conversation_id") if kind.startswith("post.") else None:
        webhook = webhook.model_copy(update={"customer": f"{root}:{act.address}"})
    return webhook, withheld(act.account, kind)


Built = tuple[str, dict[str, Any], dict[str, Any] | None]


# --- direct messages ---------------------------------------------------------------------------------


def _message(read: Callable[[Act], dict[str, Any]]) -> Callable[[Act], Built]:
    def built(act: Act) -> Built:
        data = read(act)
        act.state.keep_talk("x", act.account.id, act.address, last_in=act.time)
        people = {
            act.address: {"data": user(act.address, act.person.name, act.handle())},
            act.account.id: {"data": user(act.account.id, act.account.name, act.account.username)},
        }
        payload = direct_message(act.address, act.account.id, act.id, act.time, data, people)
        return "dm.received", payload, None

    return built


def _text(act: Act) -> dict[str, Any]:
    act.show("text", act.say.text)
    return {"text": _escaped(act.say.text), "entities": NO_ENTITIES}


def _media(act: Act) -> dict[str, Any]:
    if act.say.media not in ("", "photo", "image", "video"):
        raise act.stand_in.unknown_kind(act.say, ("media image", "media video"))
    act.show("media", act.say.text)
    link, text = f"https://t.co/{act.id[-10:]}", _escaped(act.say.text)
    full = f"https://x.com/messages/media/{act.id}"
    medium = {"id_str": act.id, "url": link, "expanded_url": full} | _file(act)
    entities = NO_ENTITIES | {"urls": [{"url": link, "expanded_url": full}]}
    attachment = {"type": "media", "media": medium}
    return {"text": f"{text} {link}".strip(), "entities": entities, "attachment": attachment}


def _file(act: Act) -> dict[str, Any]:
    if act.say.media == "video":
        address = f"https://video.twimg.com/dm_video/{act.id}/vid.mp4"
        act.stand_in.serve(address, "video/mp4", act.say)
        variants = [{"bitrate": 832000, "content_type": "video/mp4", "url": address}]
        info = {"duration_millis": 4000, "variants": variants}
        return {"type": "video", "media_url_https": "https://pbs.twimg.com/still.jpg", "video_info": info}
    address = f"https://ton.twitter.com/1.1/ton/data/dm/{act.id}/{act.id}/a.jpg"
    act.stand_in.serve(address, "image/jpeg", act.say)
    return {"type": "photo", "media_url_https": address}


def _location(act: Act) -> dict[str, Any]:
    act.show("location", "")
    point = {
        "type": "shared_coordinate",
        "shared_coordinate": {"coordinates": {"coordinates": [9.19, 45.4642]}},
    }
    return {"text": "", "entities": NO_ENTITIES, "attachment": {"type": "location", "location": point}}


def _unsupported(act: Act) -> dict[str, Any]:
    act.show("unsupported", act.say.text)
    return {"text": act.say.text, "entities": NO_ENTITIES, "attachment": {"type": "hologram", "hologram": {}}}


def _raw(act: Act) -> dict[str, Any]:
    act.show("raw", act.say.text)
    return {"text": act.say.text, "entities": NO_ENTITIES} | dict(act.say.raw)


def _encrypted(act: Act) -> Built:
    act.show("encrypted", act.say.text)
    payload = {
        "id": f"00000000-0000-4000-8000-{int(act.id) % 10**12:012d}",
        "created_at_msec": str(act.time),
        "sender_id": act.address,
        "conversation_id": f"{act.address}:{act.account.id}",
        "conversation_token": "local.conversation.token",
        "encoded_event": "bG9jYWw=",
    }
    return "chat.received", payload, None


def _read(act: Act) -> Built:
    """The newest message of ours on the phone is read, and with it all before."""
    last = act.state.newest("x", act.address, direction="out", kind="text", account=act.account.id)
    if last is None:
        raise Absent("the phone shows nothing to read")
    event = {"created_timestamp": str(act.time), "sender_id": act.address, "last_read_event_id": last.id}
    event["target"] = {"recipient_id": act.account.id}  # type: ignore[assignment]
    act.state.change("x", act.address, last, status="read")
    return "dm.read", {"direct_message_mark_read_events": [event]}, None


# --- posts -------------------------------------------------------------------------------------------


def _post(kind: str) -> Callable[[Act], Built]:
    def built(act: Act) -> Built:
        handle = f"@{act.account.username}"
        text = act.say.text if handle in act.say.text or kind == "quote" else f"{handle} {act.say.text}"
        answered = _answered(act) if kind == "reply" else ""
        root = _root(act, answered) if answered else act.id
        post = {
            "id": act.id,
            "text": _escaped(text),
            "author_id": act.address,
            "conversation_id": root,
            "created_at": iso(act.time),
            "edit_history_tweet_ids": [act.id],
            "lang": act.say.language,
        } | dict(act.say.raw)
        if answered:
            post |= {"in_reply_to_tweet_id": answered, "in_reply_to_user_id": act.account.id}
        if kind == "quote":
            post["referenced_tweets"] = [{"type": "quoted", "id": act.say.target or "1900000000000000009"}]
        act.show("post", text, quote=answered)
        keep_post(act.stand_in, act.account.id, act.id, root, act.address, summons=True)
        people = [user(act.address, act.person.name, act.handle())]
        return f"post.{kind}.create", post, {"users": people}

    return built


def _answered(act: Act) -> str:
    if act.say.target:
        return act.say.target
    ours = act.state.newest("x", act.address, direction="out", kind="post", account=act.account.id)
    return ours.id if ours else "1900000000000000009"


def _root(act: Act, answered: str) -> str:
    known = act.state.talk("x", act.account.id, f"post:{answered}")
    return known.more["root"] if known else answered


def keep_post(
    stand_in: StandIn, account: str, post: str, root: str, author: str, *, summons: bool = False
) -> None:
    """What X remembers of a post: its conversation, its author, and whether it calls us."""
    more = {"root": root, "author": author, "summons": "yes" if summons else ""}
    stand_in.state.keep_talk("x", account, f"post:{post}", more=more)


def _delete(act: Act) -> Built:
    wanted = {"id": act.say.target} if act.say.target else {}
    post = act.state.newest("x", act.address, direction="in", kind="post", account=act.account.id, **wanted)
    if post is None:
        raise Absent("the phone shows no such post")
    act.state.change("x", act.address, post, deleted=True)
    return "post.delete", {"id": post.id, "author_id": act.address}, None


def _block(blocked: bool) -> Callable[[Act], Built]:
    def built(act: Act) -> Built:
        act.state.keep_talk("x", act.account.id, act.address, blocked=blocked)
        return "", {}, None

    return built


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


ACTS: dict[str, Callable[[Act], Built]] = {
    "text": _message(_text),
    "media": _message(_media),
    "location": _message(_location),
    "unsupported": _message(_unsupported),
    "raw": _message(_raw),
    "encrypted": _encrypted,
    "read": _read,
    "comment": _post("mention"),
    "mention": _post("mention"),
    "reply": _post("reply"),
    "quote": _post("quote"),
    "delete": _delete,
    "block": _block(True),
    "unblock": _block(False),
}
