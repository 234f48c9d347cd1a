"""What Telegram posts to us: updates as the platform builds them: core.telegram.org/bots/api#update."""

from collections.abc import Callable
from typing import Any

from infra.world.files import customer_file, place_of
from infra.world.model import Say, Shown, Webhook
from infra.world.state import Absent, State
from infra.world.telegram_bot import TelegramBot
from infra.world.telegram_chat import Chat, bot_user, chat_of, owner_user, webhook_of

FILES = {"voice": "audio/ogg", "audio": "audio/mpeg", "video": "video/mp4", "document": "application/pdf"}


def build(state: State, say: Say) -> tuple[Webhook, str]:
    """The update of one act, shown on the phone; and why it will not be delivered, if so."""
    if say.kind not in BUILDERS:
        raise Absent(f"telegram has no kind {say.kind!r}; known: {', '.join(sorted(BUILDERS))}")
    chat = Chat(state, state.account("telegram", say.account), state.person(say.sender), say)
    kind, body, message_id = BUILDERS[say.kind](chat)
    webhook = webhook_of(state, chat.bot, chat.address, {kind: body}, message_id)
    return webhook, _withheld(chat.bot, kind)


def _withheld(bot: TelegramBot, kind: str) -> str:
    if bot.allowed_updates is not None and kind not in bot.allowed_updates:
        return f"Telegram does not send {kind}: it is not among the allowed_updates"
    return "" if bot.webhook_url else "no webhook is set"


Built = tuple[str, dict[str, Any], str]


def _message(chat: Chat) -> Built:
    number = chat.next_message_id()
    body = chat.message(number, chat.time) | _content(chat)
    chat.state.show(
        "telegram",
        chat.address,
        Shown(
            id=str(number),
            direction="out" if chat.say.as_owner else "in",
            kind=chat.say.kind,
            text=chat.say.text,
            time=chat.time,
            account=chat.bot.id,
            quote=chat.say.quote,
        ),
    )
    return ("business_message" if chat.say.business else "message"), body, str(number)


def _content(chat: Chat) -> dict[str, Any]:
    say = chat.say
    if say.kind == "media":
        return _media(chat)
    if say.kind == "sticker":
        sticker = {"type": "regular", "width": 512, "height": 512, "emoji": say.text or "👍"}
        return {"sticker": _file(chat, "image/webp") | sticker}
    if say.kind == "location":
        return {"location": {"latitude": 45.4642, "longitude": 9.19}}
    if say.kind == "contact":
        return {"contact": {"phone_number": "+12025550123", "first_name": say.text or "Somebody"}}
    if say.kind == "unsupported":
        return {"story": {"chat": {"id": 1, "type": "private"}, "id": 1}}
    if say.kind == "raw":
        return dict(say.raw)
    content: dict[str, Any] = {"text": say.text}
    if say.text.startswith("/"):
        length = len(say.text.split(maxsplit=1)[0])
        content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
    return content


def _media(chat: Chat) -> dict[str, Any]:
    say = chat.say
    caption = {"caption": say.text} if say.text else {}
    if say.media in ("", "photo", "image"):
        sizes = [_file(chat, "image/jpeg") | {"width": size, "height": size} for size in (90, 320, 800)]
        return {"photo": sizes} | caption
    mime = FILES.get(say.media, "application/octet-stream")
    content = _file(chat, mime) | {"mime_type": mime}
    if say.media in ("voice", "audio", "video"):
        content["duration"] = 4
    if say.media == "document":
        content["file_name"] = "document.pdf"
    return {say.media: content} | caption


def _file(chat: Chat, mime: str) -> dict[str, Any]:
    """A file of the customer's, to be asked for by its id."""
    file_id = f"file-{chat.state.next('telegram files')}"
    url = file_url(chat.bot, file_id)
    served = customer_file("telegram", mime, chat.say.more)
    chat.state.serve(url, served)
    size = len(served.content(place_of(url)))
    return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": size}


def file_url(bot: TelegramBot, file_id: str) -> str:
    return f"https://api.telegram.org/file/bot{bot.token}/files/{file_id}"


def _button(chat: Chat) -> Built:
    wanted = chat.say.button or chat.say.text
    item, button = chat.state.tapped("telegram", chat.address, chat.bot.id, wanted)
    query_id = str(chat.state.next(f"callbacks:{chat.bot.id}", 4_000_000_001))
    chat.state.next(f"callback:{chat.bot.id}:{query_id}")
    tap = Shown(id=f"tap-{query_id}", direction="in", kind="button", text=button.title, time=chat.time)
    chat.state.show("telegram", chat.address, tap.model_copy(update={"account": chat.bot.id}))
    shown = {
        "message_id": int(item.id),
        "from": bot_user(chat.bot),
        "chat": chat_of(chat.state, chat.address),
        "date": item.time // 1000,
        "text": item.text,
    }
    query = {"id": query_id, "from": chat.user(), "message": shown, "chat_instance": chat.address}
    return "callback_query", query | {"data": button.id}, query_id


def _edit(chat: Chat) -> Built:
    original = chat.find(direction="in")
    chat.state.change("telegram", chat.address, original, text=chat.say.text, edited=True)
    body = chat.message(int(original.id), original.time)
    body |= {"edit_date": chat.time // 1000, "text": chat.say.text}
    return ("edited_business_message" if chat.say.business else "edited_message"), body, original.id


def _delete(chat: Chat) -> Built:
    if not chat.say.business:
        raise Absent("Telegram tells a bot of deleted messages only in business chats")
    original = chat.find(direction="in")
    chat.state.change("telegram", chat.address, original, text="", deleted=True)
    body = {
        "business_connection_id": chat.say.business,
        "chat": chat_of(chat.state, chat.address),
        "message_ids": [int(original.id)],
    }
    return "deleted_business_messages", body, original.id


def _reaction(chat: Chat) -> Built:
    target = chat.find(direction="out")
    shown = Shown(
        id=f"reaction-{target.id}", direction="in", kind="reaction", text=chat.say.text, time=chat.time
    )
    chat.state.show("telegram", chat.address, shown.model_copy(update={"account": chat.bot.id}))
    new = [{"type": "emoji", "emoji": chat.say.text}] if chat.say.text else []
    body = {
        "chat": chat_of(chat.state, chat.address),
        "message_id": int(target.id),
        "user": chat.user(),
        "date": chat.time // 1000,
        "old_reaction": [] if new else [{"type": "emoji", "emoji": "👍"}],
        "new_reaction": new,
    }
    return "message_reaction", body, target.id


def _membership(chat: Chat) -> Built:
    blocked = chat.say.kind == "block"
    chat.state.keep_talk("telegram", chat.bot.id, chat.address, blocked=blocked)
    before, after = ("member", "kicked") if blocked else ("kicked", "member")
    until = {"until_date": 0} if blocked else {}
    body = {
        "chat": chat_of(chat.state, chat.address),
        "from": chat.user(),
        "date": chat.time // 1000,
        "old_chat_member": {"user": bot_user(chat.bot), "status": before},
        "new_chat_member": {"user": bot_user(chat.bot), "status": after} | until,
    }
    return "my_chat_member", body, ""


def _business_connection(chat: Chat) -> Built:
    """The owner connects the bot, or with the text ``off`` disconnects it."""
    business = chat.business()
    enabled = chat.say.text != "off"
    others = tuple(known for known in chat.bot.business if known.id != business.id)
    business = business.model_copy(update={"enabled": enabled})
    bot = chat.bot.model_copy(update={"business": (*others, business)})
    chat.state.keep_account("telegram", bot)
    body = {
        "id": business.id,
        "user": owner_user(business),
        "user_chat_id": business.owner_id,
        "date": chat.time // 1000,
        "is_enabled": enabled,
        "rights": {"can_reply": business.can_reply} if business.can_reply else {},
    }
    return "business_connection", body, ""


MESSAGES = ("text", "media", "sticker", "location", "contact", "unsupported", "raw")
BUILDERS: dict[str, Callable[[Chat], Built]] = dict.fromkeys(MESSAGES, _message) | {
    "button": _button,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
    "block": _membership,
    "unblock": _membership,
    "business_connection": _business_connection,
}
