"""A public post of X: whose conversation it belongs to, and whether it asks for help.

A thread is one person in one conversation: the root post and the author. The Activity API names the
root; the deprecated Account Activity API does not, so there the post answered stands for it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sportello.channels.fields import Fields
from sportello.channels.x_content import id_of, media_by_key, media_of, needed_id, time_of, words
from sportello.channels.x_help import label
from sportello.channels.x_text import without_handles
from sportello.domain.events import Customer, Echo, Ignored, Inbound, Kind, Media, PlatformEvent
from sportello.domain.model import Instant

POST = "post:"
"""What the address of a public thread begins with: ``post:<post to answer>:<its author>``."""
LEAST_WORDS = 3
"""X guesses a post's language from its words; from fewer it knows nothing."""


class Post(NamedTuple):
    """What both dialects say of a post."""

    id: str
    author: str
    root: str
    time: Instant
    text: str
    media: tuple[Media, ...] = ()
    answers: str = ""
    """The post that this one replies to."""
    answers_author: str = ""
    quotes: str = ""
    name: str = ""
    language: str = ""


def address_of(post: str, author: str) -> str:
    return f"{POST}{post}:{author}"


def event_of(post: Post, account: str) -> PlatformEvent:
    """A customer's post to us, our own answer to a customer, or a post of ours that answers nobody."""
    if post.author != account:
        return _inbound(post, account)
    if not post.answers or post.answers_author in ("", account):
        return Ignored(account=account, why="own post")
    customer = Customer(
        id=f"{post.root}:{post.answers_author}", address=address_of(post.answers, post.answers_author)
    )
    return Echo(
        account=account,
        customer=customer,
        id=post.id,
        time=post.time,
        kind=Kind.MEDIA if post.media else Kind.TEXT,
        text=_shown(post),
        media=post.media,
        public=True,
    )


def _inbound(post: Post, account: str) -> Inbound:
    text = _shown(post)
    asks, why = label(text, with_media=bool(post.media))
    return Inbound(
        account=account,
        customer=Customer(
            id=f"{post.root}:{post.author}",
            address=address_of(post.id, post.author),
            name=post.name,
            language=post.language if len(post.text.split()) > LEAST_WORDS else "",
        ),
        id=post.id,
        time=post.time,
        kind=Kind.MEDIA if post.media else Kind.TEXT,
        text=text,
        media=post.media,
        quote=post.answers or post.quotes,
        public=True,
        addressed=asks,
        detail=why,
    )


def _shown(post: Post) -> str:
    return without_handles(post.text) if post.answers else post.text


# --- version 2: the Activity API ---------------------------------------------------------------------


def post_v2(payload: Fields, includes: Fields | None) -> Post:
    post, author = payload.required_text("id"), payload.required_text("author_id")
    others = {item.text("type"): item.text("id") for item in payload.parts("referenced_tweets")}
    answers = id_of(payload, "in_reply_to_tweet_id") or others.get("replied_to", "")
    note = payload.part_or_none("note_tweet") or payload
    media = _media_v2(post, payload, includes)
    quotes = others.get("quoted", "")
    return Post(
        id=post,
        author=author,
        root=payload.text("conversation_id") or answers or post,
        time=time_of(payload, "created_at"),
        text=_words(note.text("text"), note.part_or_none("entities"), _cut(quotes, post), media),
        media=media,
        answers=answers,
        answers_author=id_of(payload, "in_reply_to_user_id"),
        quotes=quotes,
        name=_name_in(includes, author),
        language=_language(payload.text("lang")),
    )


def is_repost(payload: Fields) -> bool:
    return any(item.text("type") == "retweeted" for item in payload.parts("referenced_tweets"))


def _media_v2(post: str, payload: Fields, includes: Fields | None) -> tuple[Media, ...]:
    attachments = payload.part_or_none("attachments")
    keys = attachments.values.get("media_keys") if attachments else None
    told: Mapping[str, Fields] = (
        {item.text("media_key"): item for item in includes.parts("media")} if includes else {}
    )
    found = []
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, str):
            medium = media_of(told[key]) if key in told else media_by_key(post, key)
            found.append(medium if medium.url else media_by_key(post, key))
    return tuple(found)


def _name_in(includes: Fields | None, user: str) -> str:
    for person in includes.parts("users") if includes else ():
        person = person.part_or_none("data") or person
        if person.text("id") == user:
            return person.text("name") or person.text("username")
    return ""


# --- version 1.1: the Account Activity API -----------------------------------------------------------


def post_v1(tweet: Fields) -> Post:
    long = tweet.part_or_none("extended_tweet") or tweet
    user = tweet.part("user")
    post, answers = needed_id(tweet, "id"), id_of(tweet, "in_reply_to_status_id")
    quotes = id_of(tweet, "quoted_status_id")
    entities = long.part_or_none("entities")
    extended = long.part_or_none("extended_entities") or entities
    media = tuple(media_of(medium) for medium in extended.parts("media")) if extended else ()
    return Post(
        id=post,
        author=needed_id(user, "id"),
        root=id_of(tweet, "conversation_id") or answers or post,
        time=time_of(tweet, "timestamp_ms", "created_at"),
        text=_words(long.text("full_text") or long.text("text"), entities, _cut(quotes, post), media),
        media=media,
        answers=answers,
        answers_author=id_of(tweet, "in_reply_to_user_id"),
        quotes=quotes,
        name=user.text("name") or user.text("screen_name"),
        language=_language(tweet.text("lang")),
    )


def _words(text: str, entities: Fields | None, cut: tuple[str, ...], media: tuple[Media, ...]) -> str:
    """A post that holds nothing but a quoted post shows the link to it."""
    return words(text, entities, cut) or ("" if media else words(text, entities))


def _cut(quotes: str, post: str) -> tuple[str, ...]:
    """Posts whose links X adds to the words: the one quoted, and the post itself where it is long."""
    return tuple(filter(None, (quotes, post)))


def _language(given: str) -> str:
    """X's guess; ``und``, ``qme``, ``zxx`` and the like say that it has none."""
    return given if len(given) == 2 and given.isascii() and given.isalpha() else ""
