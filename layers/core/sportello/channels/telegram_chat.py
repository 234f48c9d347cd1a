"""Whose message it is: the chat, the customer in it, the ids, and whether a group speaks to us.

Ids are alike everywhere, so that edits, deletes, quotes and our own sends find their message:
a message ``<chat>:<message>[:<business connection>]`` (message ids are unique inside a chat only);
what has no message of its own ``<chat>:u<update>``.
"""

from sportello.channels.base import Account
from sportello.channels.fields import Fields
from sportello.channels.telegram_content import full_name
from sportello.domain.events import Customer
from sportello.domain.model import SECOND, Instant

BUSINESS = "b:"
"""What the address of a business chat begins with: ``b:<business connection>:<chat>``."""

GROUPS = ("group", "supergroup")


def message_id(chat: int, number: int, business: str = "") -> str:
    return f"{chat}:{number}:{business}" if business else f"{chat}:{number}"


def not_a_customer(event: Fields, sender_field: str = "from") -> str:
    """Why nobody is served here, empty where somebody is: a broadcast, or a bot (ourselves too)."""
    if event.part("chat").text("type") == "channel":
        return "channel"
    sender = event.part_or_none(sender_field)
    # An anonymous administrator and a channel write through bots of Telegram's own, with sender_chat.
    if sender and sender.flag("is_bot") and "sender_chat" not in event:
        return "bot"
    return "automatic forward" if event.flag("is_automatic_forward") else ""


def from_owner(message: Fields) -> bool:
    """In a business chat the customer is the one whose id is the chat's; all else is our side."""
    if "business_connection_id" not in message:
        return False
    sender = message.part("from").whole("id")
    return "sender_business_bot" in message or sender != message.part("chat").whole("id")


def customer_of(event: Fields, sender_field: str = "from") -> Customer:
    """The chat is the customer; in a group it bears the name of who wrote last."""
    chat = event.part("chat")
    chat_id = chat.whole("id")
    business = event.text("business_connection_id")
    name, language = _writer(event, sender_field, chat_id if business else None)
    return Customer(
        id=f"b{chat_id}" if business else str(chat_id),
        address=f"{BUSINESS}{business}:{chat_id}" if business else str(chat_id),
        name=name or full_name(chat) or chat.text("title"),
        language=language,
    )


def _writer(event: Fields, sender_field: str, only: int | None) -> tuple[str, str]:
    """Name and language of who wrote; empty where the platform does not say, or where it is not ``only``."""
    author = event.part_or_none("sender_chat")
    if author is not None:
        return author.text("title"), ""
    sender = event.part_or_none(sender_field)
    if sender is None or (only is not None and sender.whole("id") != only):
        return "", ""
    return full_name(sender), language_of(sender)


def language_of(person: Fields) -> str:
    return person.text("language_code").replace("_", "-").split("-")[0].lower()


def named(person: Fields, customer: Customer) -> Customer:
    found = {"name": full_name(person) or customer.name, "language": language_of(person)}
    return customer.model_copy(update=found)


def own_id(message: Fields, update: Fields) -> str:
    if message.whole("message_id") == 0:
        # Scheduled and ephemeral messages share the number 0: the update tells them apart.
        return update_id(message.part("chat"), update)
    return id_in(message, message.text("business_connection_id"))


def id_in(message: Fields, business: str) -> str:
    return message_id(message.part("chat").whole("id"), message.whole("message_id"), business)


def update_id(chat: Fields, update: Fields) -> str:
    return f"{chat.whole('id')}:u{update.whole('update_id')}"


def time_of(event: Fields, name: str = "date") -> Instant:
    return event.whole(name) * SECOND


def quote_of(message: Fields) -> str:
    """The message answered, in this chat: one of another chat (external_reply) has no thread here."""
    replied = message.part_or_none("reply_to_message")
    if replied is None:
        return ""
    chat = message.part("chat").whole("id")
    return message_id(chat, replied.whole("message_id"), message.text("business_connection_id"))


def speaks_to(bot: Account, message: Fields) -> bool:
    """Whether a group message answers the bot, mentions it or commands it."""
    replied = message.part_or_none("reply_to_message")
    author = replied.part_or_none("from") if replied else None
    if author is not None and str(author.whole("id")) == bot.id:
        return True
    words = message.text("text") or message.text("caption")
    entities = message.parts("entities") or message.parts("caption_entities")
    return any(_names(bot, entity, words) for entity in entities)


def _names(bot: Account, entity: Fields, words: str) -> bool:
    kind = entity.text("type")
    if kind == "text_mention":
        return str(entity.part("user").whole("id")) == bot.id
    if kind not in ("mention", "bot_command"):
        return False
    part = _utf16_slice(words, entity.whole("offset"), entity.whole("length")).lower()
    handle = f"@{bot.name.lower()}"
    # A command without a name reaches us only where Telegram takes us for the one meant.
    return part == handle or (kind == "bot_command" and ("@" not in part or part.endswith(handle)))


def _utf16_slice(words: str, offset: int, length: int) -> str:
    """Telegram counts entities in UTF-16 units."""
    units = words.encode("utf-16-le")
    return units[2 * max(offset, 0) : 2 * max(offset + length, 0)].decode("utf-16-le", "replace")
