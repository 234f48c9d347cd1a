"""What a Telegram message holds: its kind, words, files and places.

https://core.telegram.org/bots/api#message: exactly one content or service field is set, beside
those of ``BOOKKEEPING``; some kinds repeat themselves under an older name for old readers.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from sportello.channels.fields import Fields
from sportello.domain.events import Card, Kind, Media, Place

_BOOKKEEPING = """
    message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count
    sender_business_bot sender_tag receiver_user ephemeral_message_id date guest_query_id
    business_connection_id chat forward_origin is_topic_message is_automatic_forward
    reply_to_message external_reply quote reply_to_story reply_to_checklist_task_id
    reply_to_poll_option_id via_bot guest_bot_caller_user guest_bot_caller_chat edit_date
    has_protected_content is_from_offline is_paid_post media_group_id author_signature
    paid_star_count entities link_preview_options suggested_post_info effect_id caption
    caption_entities show_caption_above_media has_media_spoiler reply_markup
    forward_from forward_from_chat forward_from_message_id forward_signature
    forward_sender_name forward_date
"""
BOOKKEEPING = frozenset(_BOOKKEEPING.split())
"""Fields that say how a message came, not what it is; the last two lines were sent by older servers."""

_SERVICE = """
    new_chat_members left_chat_member chat_owner_left chat_owner_changed new_chat_title
    new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created
    channel_chat_created message_auto_delete_timer_changed pinned_message refunded_payment
    users_shared chat_shared gift unique_gift gift_upgrade_sent connected_website
    write_access_allowed proximity_alert_triggered boost_added chat_background_set
    checklist_tasks_done checklist_tasks_added direct_message_price_changed
    forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened
    general_forum_topic_hidden general_forum_topic_unhidden giveaway_created
    giveaway_completed managed_bot_created paid_message_price_changed poll_option_added
    poll_option_deleted suggested_post_approved suggested_post_approval_failed
    suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled
    video_chat_started video_chat_ended video_chat_participants_invited
    community_chat_added community_chat_removed
"""
SERVICE = frozenset(_SERVICE.split())

MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker", "animation"]


class Content(NamedTuple):
    kind: Kind
    text: str = ""
    media: tuple[Media, ...] = ()
    place: Place | None = None
    cards: tuple[Card, ...] = ()
    payload: str = ""
    detail: str = ""


def content_of(message: Fields) -> Content:
    """What the message is; a kind that nobody here knows is ``UNSUPPORTED``, named in ``detail``."""
    for name, read in _READERS.items():
        if name in message:
            return read(message)
    for name in message:
        if name in SERVICE:
            return Content(Kind.SERVICE, detail=name)
    unknown = [name for name in message if name not in BOOKKEEPING]
    detail = unknown[0][:64] if unknown else "empty"
    return Content(Kind.UNSUPPORTED, text=message.text("caption"), detail=detail)


def _text(message: Fields) -> Content:
    return Content(Kind.TEXT, text=message.text("text"))


def _photo(message: Fields) -> Content:
    return _with_media(message, _largest(message))


def _live_photo(message: Fields) -> Content:
    moving = message.part("live_photo")
    still = message if "photo" in message else moving
    return _with_media(message, *([_largest(still)] if "photo" in still else []), _file(moving, "video"))


def _sticker(message: Fields) -> Content:
    sticker = message.part("sticker")
    return Content(Kind.MEDIA, text=sticker.text("emoji"), media=(_file(sticker, "sticker"),))


def _media(name: str, kind: MediaKind) -> Callable[[Fields], Content]:
    return lambda message: _with_media(message, _file(message.part(name), kind))


def _with_media(message: Fields, *media: Media) -> Content:
    return Content(Kind.MEDIA, text=message.text("caption"), media=media)


def _largest(holder: Fields) -> Media:
    sizes = holder.required_parts("photo")
    return _file(max(sizes, key=lambda size: size.whole("width") * size.whole("height")), "image")


def _file(file: Fields, kind: MediaKind) -> Media:
    return Media(
        kind=kind,
        id=file.required_text("file_id"),
        mime=file.text("mime_type"),
        size=file.whole_or_none("file_size"),
        name=file.text("file_name") or file.text("title"),
        seconds=file.whole_or_none("duration"),
    )


def _venue(message: Fields) -> Content:
    venue = message.part("venue")
    spot = message if "location" in message else venue
    return _place(spot.part("location"), venue.text("title"), venue.text("address"))


def _location(message: Fields) -> Content:
    return _place(message.part("location"))


def _place(location: Fields, name: str = "", address: str = "") -> Content:
    place = Place(
        latitude=location.real("latitude"), longitude=location.real("longitude"), name=name, address=address
    )
    return Content(Kind.LOCATION, place=place)


def _contact(message: Fields) -> Content:
    contact = message.part("contact")
    sender = message.part_or_none("from")
    holder = contact.whole_or_none("user_id")
    card = Card(
        name=full_name(contact),
        phones=(contact.required_text("phone_number"),),
        own=sender is not None and holder is not None and holder == sender.whole("id"),
    )
    return Content(Kind.CONTACT, cards=(card,))


def _poll(message: Fields) -> Content:
    poll = message.part("poll")
    return _list_as_text("poll", poll.text("question"), poll.parts("options"))


def _checklist(message: Fields) -> Content:
    checklist = message.part("checklist")
    return _list_as_text("checklist", checklist.text("title"), checklist.parts("tasks"))


def _list_as_text(detail: str, heading: str, items: list[Fields]) -> Content:
    lines = [heading, *(f"- {item.text('text')}" for item in items)]
    return Content(Kind.TEXT, text="\n".join(lines), detail=detail)


def _dice(message: Fields) -> Content:
    return Content(Kind.TEXT, text=message.part("dice").text("emoji"), detail="dice")


def _form(message: Fields) -> Content:
    form = message.part("web_app_data")
    return Content(
        Kind.BUTTON, text=form.text("button_text"), payload=form.text("data"), detail="web_app_data"
    )


def _payment(message: Fields) -> Content:
    return Content(Kind.ORDER, payload=message.part("successful_payment").text("invoice_payload"))


# In this order: a kind comes before the older field under which it repeats itself.
_READERS: dict[str, Callable[[Fields], Content]] = {
    "text": _text,
    "live_photo": _live_photo,
    "photo": _photo,
    "animation": _media("animation", "animation"),
    "document": _media("document", "document"),
    "voice": _media("voice", "voice"),
    "audio": _media("audio", "audio"),
    "video": _media("video", "video"),
    "video_note": _media("video_note", "video"),
    "sticker": _sticker,
    "contact": _contact,
    "venue": _venue,
    "location": _location,
    "poll": _poll,
    "checklist": _checklist,
    "dice": _dice,
    "web_app_data": _form,
    "successful_payment": _payment,
}


def full_name(person: Fields) -> str:
    return f"{person.text('first_name')} {person.text('last_name')}".strip()
