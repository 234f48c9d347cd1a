"""After the acknowledgement: copies of customers' files, and the names that platforms tell on request.

    read -> where is it -> fetch, checked -> type by content -> S3 -> pointer on the message

The row's ``due`` is the promise: it goes only when each file has its copy or a reason why there is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import puremagic

from sportello.aws import copies, files, outbox, store
from sportello.aws.clock import real_now
from sportello.aws.logging import logger
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import Channel, Connection, MediaGone, MediaLater
from sportello.channels.fetch import Fetched, NotFetched, fetch
from sportello.channels.http import Http, NoAnswer, NotConnected
from sportello.domain import keys
from sportello.domain.events import Media
from sportello.domain.message import Message
from sportello.domain.model import MINUTE
from sportello.domain.thread import Thread
from sportello.services import rows

LONGEST_WAIT = 60 * MINUTE
TRIES = 28
"""A day of waits that double up to an hour; then the file stays at the platform."""
PLAIN = "application/octet-stream"
ACTIVE = frozenset(
    {"text/html", "application/xhtml+xml", "image/svg+xml", "text/javascript", "application/x-sh"}
)
"""Types that a browser would run: their copies are stored as mere bytes."""
CONTAINERS = {
    "application/ogg": ("audio/", "video/"),
    "video/mp4": ("audio/", "video/"),
    "video/webm": ("audio/", "video/"),
    "application/zip": ("application/",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("application/",),
    "text/plain": ("text/",),
}
"""What content alone cannot tell apart: the declared type is believed within these families."""


@dataclass(frozen=True)
class Fetcher:
    """What fetching needs besides the row."""

    channels: Callable[[str], Channel]
    connection: Callable[[str, str], Connection]
    http: Http
    languages: tuple[str, ...] = ()
    """Those of the desk: no other is taken from a profile."""
    rewrite: str = ""


def take(fetcher: Fetcher, address: outbox.Address) -> str:
    """The files of one message, or the name of a thread's customer; returns a word for the log."""
    if address.key == keys.THREAD_ROW:
        return ask_name(fetcher, address.thread)
    thread, row = outbox.read(address)
    if thread is None or row is None or row.due is None or row.direction != "in":
        return "nothing_to_do"
    if row.deleted:
        files.forget(files.prefix_of(address.thread, address.key))
        copies.done(address)
        return "deleted"
    media = [_copied(fetcher, thread, row, number) for number in range(len(row.media))]
    if any(_wanted(one) for one in media) and row.attempt < TRIES:
        wait = min(MINUTE * 2**row.attempt, LONGEST_WAIT)
        copies.later(address, media, due=real_now() + wait)
        return "later"
    given_up = [one.model_copy(update={"problem": "unavailable"}) if _wanted(one) else one for one in media]
    if not copies.kept(address, given_up):  # deleted meanwhile: the copies go as well
        files.forget(files.prefix_of(address.thread, address.key))
        return "deleted"
    return "kept"


def _wanted(media: Media) -> bool:
    return media.keep and not media.at and not media.problem


def _copied(fetcher: Fetcher, thread: Thread, row: Message, number: int) -> Media:
    """The file with its copy or the reason why there is none; as it was where trying again may help."""
    media = row.media[number]
    if not _wanted(media):
        return media
    try:
        fetched = _fetched(fetcher, thread, media)
    except (MediaGone, NotFetched) as error:
        if isinstance(error, NotFetched) and error.again:
            return media
        logger.info("no copy", extra={"thread_id": thread.id, "key": row.key, "problem": str(error)})
        return media.model_copy(update={"problem": str(error), "url": ""})
    except UnknownConnection:  # taken away, or not yet here after a restore
        logger.info("no copy yet", extra={"thread_id": thread.id, "key": row.key, "problem": "no_connection"})
        return media
    except (MediaLater, NotConnected, NoAnswer) as error:
        logger.info("no copy yet", extra={"thread_id": thread.id, "key": row.key, "problem": str(error)})
        return media
    mime = type_of(fetched.body, media.mime or fetched.mime)
    key = files.key_of(thread.id, row.key, number)
    files.keep(key, fetched.body, mime)
    return media.model_copy(update={"at": key, "mime": mime, "size": len(fetched.body), "url": ""})


def _fetched(fetcher: Fetcher, thread: Thread, media: Media) -> Fetched:
    channel = fetcher.channels(thread.channel)
    connection = fetcher.connection(thread.channel, thread.connection)
    download = channel.download(media, connection, fetcher.http)
    fetched = fetch(download, channel.media_hosts, rewrite=fetcher.rewrite)
    return fetched._replace(body=channel.decrypt(media, fetched.body))


def type_of(body: bytes, declared: str) -> str:
    """The type by content; the declared one only decides what content cannot."""
    declared = declared.partition(";")[0].strip().lower()
    try:
        found = puremagic.from_string(body, mime=True) or ""
    except (puremagic.PureError, ValueError):
        found = ""
    if not found:
        return declared if _passive(declared) and not _is_text(body) else _text_or_plain(body)
    if found in ACTIVE:
        return PLAIN
    if declared not in ACTIVE and declared.startswith(CONTAINERS.get(found, ("\x00",))):
        return declared
    return found


def _passive(mime: str) -> bool:
    return mime.startswith(("image/", "audio/", "video/")) and mime not in ACTIVE


def _is_text(body: bytes) -> bool:
    try:
        body[:4096].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in body[:4096]


def _text_or_plain(body: bytes) -> str:
    return "text/plain" if _is_text(body) and body.lstrip()[:1] != b"<" else PLAIN


def ask_name(fetcher: Fetcher, thread_id: str) -> str:
    """Who the customer is and what they speak, where the platform tells; asked once per debt at most."""
    thread = store.read_thread(thread_id, consistent=True).thread
    if thread is None or thread.name:
        return "nothing_to_do"
    channel = fetcher.channels(thread.channel)
    if not channel.profiles:
        return "nothing_to_do"
    try:
        found = channel.profile(
            thread.to, fetcher.connection(thread.channel, thread.connection), fetcher.http
        )
    except (NotConnected, NoAnswer, UnknownConnection):
        return "no_name"
    if found is not None and found.language in fetcher.languages and not thread.language:
        copies.spoken(thread_id, thread.rev, found.language)
    if found is None or not found.name.strip():
        return "no_name"
    copies.named(thread_id, rows.clip(found.name.strip(), rows.NAME_BYTES))
    return "named"
