"""One Telegram update becomes one event of the desk. https://core.telegram.org/bots/api#update"""

from collections.abc import Callable, Mapping

from sportello.channels.base import Account
from sportello.channels.fields import Fields, Wrong
from sportello.channels.telegram_chat import (
    GROUPS,
    customer_of,
    from_owner,
    id_in,
    message_id,
    named,
    not_a_customer,
    own_id,
    quote_of,
    speaks_to,
    time_of,
    update_id,
)
from sportello.channels.telegram_content import Content, content_of
from sportello.domain.events import (
    Connected,
    Customer,
    Delete,
    Echo,
    Edit,
    Ignored,
    Inbound,
    Kind,
    Moved,
    PlatformEvent,
)

_IGNORED = """
    channel_post edited_channel_post guest_message message_reaction_count inline_query
    chosen_inline_result shipping_query pre_checkout_query purchased_paid_media poll poll_answer
    chat_member chat_join_request chat_boost removed_chat_boost managed_bot subscription
"""
IGNORED = frozenset(_IGNORED.split())
"""Known updates that are no message of a customer to us; the registration does not ask for them."""


def event_of(update: Fields, bot: Account) -> PlatformEvent:
    """The event of one update.

    Raises:
        Wrong: a field that it needs is missing or of another type.
    """
    for name in update:
        if name in HANDLED:
            return HANDLED[name](update.part(name), update, bot)
    for name in update:
        if name != "update_id":
            return Ignored(account=bot.id, why=name) if name in IGNORED else _unknown(name, update, bot)
    raise Wrong("update: nothing but its number")


def _message(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    if "migrate_to_chat_id" in message:
        return _moved(message, update, bot)
    if "migrate_from_chat_id" in message:
        # The old group's notice moves the thread; this one comes on the new chat's own queue.
        return Ignored(account=bot.id, why="migrate_from_chat_id")
    if reason := not_a_customer(message):
        return Ignored(account=bot.id, why=reason)
    return _inbound(message, update, bot)


def _business_message(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    message.required_text("business_connection_id")
    if from_owner(message):
        return _echo(message, update, bot)
    if reason := not_a_customer(message):
        return Ignored(account=bot.id, why=reason)
    return _inbound(message, update, bot)


def _inbound(message: Fields, update: Fields, bot: Account) -> Inbound:
    content = _content(message)
    group = message.part("chat").text("type") in GROUPS
    number = message.whole("message_id")
    keeps_fragment = content.kind in (Kind.UNSUPPORTED, Kind.ORDER)
    forwarded = "forward_origin" in message or "forward_date" in message
    return Inbound(
        account=bot.id,
        customer=customer_of(message),
        id=own_id(message, update),
        time=time_of(message),
        sequence=number or None,
        **content._asdict(),
        quote=quote_of(message),
        forwarded=forwarded,
        group=group,
        addressed=not group or speaks_to(bot, message),
        album=message.text("media_group_id"),
        ref=content.payload if content.kind is Kind.START else "",
        attested="" if group or forwarded else _own_number(content),
        fragment=message.values if keeps_fragment else None,
    )


def _echo(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    content = content_of(message)
    if content.kind is Kind.SERVICE:
        return Ignored(account=bot.id, why=f"{content.detail} by the owner")
    sender = message.part_or_none("sender_business_bot")
    if sender is not None and str(sender.whole("id")) == bot.id:
        return Ignored(account=bot.id, why="own send")  # the outbox row stands in the thread already
    automatic = "sender_business_bot" in message or message.flag("is_from_offline")
    return Echo(
        account=bot.id,
        customer=customer_of(message),
        id=own_id(message, update),
        time=time_of(message),
        sequence=message.whole("message_id") or None,
        kind=content.kind,
        text=content.text,
        media=content.media,
        author="automatic" if automatic else "person",
    )


def _edited(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    if reason := not_a_customer(message):
        return Ignored(account=bot.id, why=reason)
    if "location" in message:
        return Ignored(account=bot.id, why="live location")
    return Edit(
        account=bot.id,
        customer=customer_of(message),
        original=own_id(message, update),
        time=time_of(message, "edit_date" if "edit_date" in message else "date"),
        text=_content(message).text,
    )


def _edited_business(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    message.required_text("business_connection_id")
    if from_owner(message):
        return Ignored(account=bot.id, why="edit by the owner")
    return _edited(message, update, bot)


def _deleted(deleted: Fields, update: Fields, bot: Account) -> PlatformEvent:
    chat = deleted.part("chat").whole("id")
    business = deleted.required_text("business_connection_id")
    return Delete(
        account=bot.id,
        customer=customer_of(deleted),
        originals=tuple(message_id(chat, number, business) for number in deleted.wholes("message_ids")),
        time=None,
    )


def _moved(message: Fields, update: Fields, bot: Account) -> PlatformEvent:
    group = str(message.whole("migrate_to_chat_id"))
    return Moved(
        account=bot.id,
        customer=Customer(id=group, address=group, name=message.part("chat").text("title")),
        previous=(str(message.part("chat").whole("id")),),
        id=own_id(message, update),
        time=time_of(message),
    )


def _connection(connection: Fields, update: Fields, bot: Account) -> PlatformEvent:
    rights = connection.part_or_none("rights")
    # Servers before Bot API 9.0 have the right beside the others' object, later ones in it.
    can_reply = rights.flag("can_reply") if rights else connection.flag("can_reply")
    return Connected(
        account=bot.id,
        id=connection.required_text("id"),
        time=time_of(connection) if "date" in connection else None,
        enabled=connection.flag("is_enabled"),
        detail="can_reply" if can_reply else "cannot_reply",
    )


def _reaction(reaction: Fields, update: Fields, bot: Account) -> PlatformEvent:
    if reason := not_a_customer(reaction, "user"):
        return Ignored(account=bot.id, why=reason)
    chat = reaction.part("chat")
    return Inbound(
        account=bot.id,
        customer=customer_of(reaction, "user"),
        id=update_id(chat, update),
        time=time_of(reaction),
        kind=Kind.REACTION,
        text="".join(_emoji(item) for item in reaction.parts("new_reaction")),
        quote=message_id(chat.whole("id"), reaction.whole("message_id")),
        group=chat.text("type") in GROUPS,
    )


def _membership(change: Fields, update: Fields, bot: Account) -> PlatformEvent:
    if reason := not_a_customer(change):
        return Ignored(account=bot.id, why=reason)
    chat = change.part("chat")
    group = chat.text("type") in GROUPS
    gone = change.part("new_chat_member").text("status") in ("kicked", "left")
    words = ("removed", "added") if group else ("blocked", "unblocked")
    return Inbound(
        account=bot.id,
        customer=customer_of(change),
        id=update_id(chat, update),
        time=time_of(change),
        kind=Kind.SERVICE,
        group=group,
        addressed=not group,
        detail=words[0] if gone else words[1],
    )


def _tap(query: Fields, update: Fields, bot: Account) -> PlatformEvent:
    if "data" not in query:
        return Ignored(account=bot.id, why="callback_query without data")
    person = query.part("from")
    message = query.part_or_none("message")
    if message is None:
        # From a message sent in inline mode: its chat is not told, the person's private one is theirs.
        chat_id = str(person.whole("id"))
        return _button(query, named(person, Customer(id=chat_id, address=chat_id)), bot)
    tap = Fields({"chat": message.part("chat").values, "from": person.values}, "callback_query.")
    if business := message.text("business_connection_id"):
        tap.values["business_connection_id"] = business
    if reason := not_a_customer(tap) or ("tap by the owner" if from_owner(tap) else ""):
        return Ignored(account=bot.id, why=reason)
    return _button(query, customer_of(tap), bot).model_copy(
        update={
            "text": _title(message, query.text("data")),
            "quote": id_in(message, business),
            "group": message.part("chat").text("type") in GROUPS,
        }
    )


def _button(query: Fields, customer: Customer, bot: Account) -> Inbound:
    return Inbound(
        account=bot.id,
        customer=customer,
        id=f"cb{query.required_text('id')}",
        time=None,
        kind=Kind.BUTTON,
        payload=query.text("data"),
    )


def _unknown(name: str, update: Fields, bot: Account) -> PlatformEvent:
    """An update of tomorrow: kept with its writer; one that names none, or nothing we can read, apart."""
    try:
        part = update.part(name)
        part.part("from")
        if not_a_customer(part) or from_owner(part):
            return Ignored(account=bot.id, why=f"unknown update {name[:64]}")
        group = part.part("chat").text("type") in GROUPS
        return Inbound(
            account=bot.id,
            customer=customer_of(part),
            id=update_id(part.part("chat"), update),
            time=time_of(part) if "date" in part else None,
            kind=Kind.UNSUPPORTED,
            group=group,
            addressed=not group,
            detail=name[:64],
            fragment=update.values,
        )
    except Wrong:
        raise Wrong(f"unknown update {name[:64]}") from None


HANDLED: Mapping[str, Callable[[Fields, Fields, Account], PlatformEvent]] = {
    "message": _message,
    "edited_message": _edited,
    "callback_query": _tap,
    "message_reaction": _reaction,
    "my_chat_member": _membership,
    "business_connection": _connection,
    "business_message": _business_message,
    "edited_business_message": _edited_business,
    "deleted_business_messages": _deleted,
}
"""The updates that the desk asks Telegram for, each with the function that reads it."""


def _content(message: Fields) -> Content:
    """``/start`` opens the conversation with a bot; to a business account it is a word like others."""
    content = content_of(message)
    words = content.text.split(maxsplit=1)
    is_start = bool(words) and words[0].split("@")[0] == "/start" and content.kind is Kind.TEXT
    if not is_start or "business_connection_id" in message:
        return content
    return content._replace(kind=Kind.START, payload=words[1] if len(words) > 1 else "")


def _own_number(content: Content) -> str:
    """Telegram vouches for the number on a contact card that is its sender's own."""
    if not content.cards or not content.cards[0].own:
        return ""
    digits = "".join(filter(str.isdecimal, content.cards[0].phones[0]))
    return f"+{digits}" if digits else ""


def _title(message: Fields, payload: str) -> str:
    """The words on the button that was tapped, where the message is still readable."""
    markup = message.part_or_none("reply_markup")
    rows = markup.values.get("inline_keyboard") if markup else None
    for row in rows if isinstance(rows, list) else []:
        for button in row if isinstance(row, list) else []:
            if isinstance(button, dict) and button.get("callback_data") == payload:
                return Fields(button, "callback_query.message.reply_markup.").text("text")
    return ""


def _emoji(reaction: Fields) -> str:
    """A custom or paid reaction has no character: its kind stands for it."""
    return reaction.text("emoji") or f"[{reaction.required_text('type')}]"
