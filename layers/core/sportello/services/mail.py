"""What mail needs before its events are taken: its files in S3, and whose conversation it goes on."""

from collections.abc import Mapping, Sequence

from sportello.aws import files
from sportello.channels.base import Request
from sportello.channels.email import Email
from sportello.domain import keys
from sportello.domain.events import Inbound, Media, PlatformEvent
from sportello.services import onward
from sportello.services.context import Context
from sportello.services.media import type_of


def prepared(
    context: Context, channel: Email, request: Request, events: Sequence[PlatformEvent]
) -> list[PlatformEvent]:
    """The events of one mail as ``ingest`` takes them."""
    return [_by_visitor(context, event) for event in _with_files(context, channel, request, events)]


def _with_files(
    context: Context, channel: Email, request: Request, events: Sequence[PlatformEvent]
) -> Sequence[PlatformEvent]:
    """The files go to S3 first: a message that is committed points to what is there."""
    if not any(media.keep for event in events if isinstance(event, Inbound) for media in event.media):
        return events
    contents = {file.id: file.content for file in channel.files(request)}
    return [_stored(context, event, contents) if isinstance(event, Inbound) else event for event in events]


def _by_visitor(context: Context, event: PlatformEvent) -> PlatformEvent:
    """An answer to a mail that followed a visitor of the site belongs to their conversation there."""
    return onward.returned(context.salt, event) if isinstance(event, Inbound) else event


def _stored(context: Context, event: Inbound, contents: Mapping[str, bytes]) -> Inbound:
    thread = keys.thread_id(context.salt, context.channel.name, event.account, event.customer.id)
    message = keys.message_hash(thread, event.id)
    media = tuple(
        _kept(media, contents[media.id], files.key_of(thread, message, number)) if media.keep else media
        for number, media in enumerate(event.media)
    )
    return event.model_copy(update={"media": media})


def _kept(media: Media, content: bytes, key: str) -> Media:
    mime = type_of(content, media.mime)
    files.keep(key, content, mime)
    return media.model_copy(update={"at": key, "mime": mime})
