"""One customer in one Telegram chat: what every update about them is made of."""

import hashlib
import json
from typing import Any

from infra.world.model import Person, Say, Shown, Webhook
from infra.world.state import Absent, State
from infra.world.telegram_bot import TelegramBot, TelegramBusiness
from sportello.domain.model import Instant

FIRST_UPDATE = 100_000_001
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 the name of a header


class Chat:
    """One act of one customer towards one bot: what the builders below share."""

    def __init__(self, state: State, bot: TelegramBot, person: Person, say: Say) -> None:
        self.state = state
        self.bot = bot
        self.person = person
        self.say = say
        self.address = self._address()
        self.time = say.at if say.at is not None else state.now()

    def _address(self) -> str:
        if self.say.group:
            return str(group_id(self.say.group))
        prefix = "b" if self.say.business else ""
        return f"{prefix}{self.person.telegram_id}"

    def next_message_id(self) -> int:
        talk = self.state.talk("telegram", self.bot.id, self.address)
        number = talk.next_id if talk else 1
        update: dict[str, Any] = {"next_id": number + 1}
        if not self.say.as_owner:
            # The newest wins: a message that was written earlier does not shorten the window.
            update["last_in"] = max(self.time, (talk.last_in or 0) if talk else 0)
        self.state.keep_talk("telegram", self.bot.id, self.address, **update)
        return number

    def user(self) -> dict[str, Any]:
        first, _, last = self.person.name.partition(" ")
        user: dict[str, Any] = {"id": self.person.telegram_id, "is_bot": False, "first_name": first}
        if last:
            user["last_name"] = last
        if self.say.language:
            user["language_code"] = self.say.language
        return user

    def message(self, number: int, time: Instant) -> dict[str, Any]:
        message: dict[str, Any] = {
            "message_id": number,
            "from": self._author(),
            "chat": chat_of(self.state, self.address),
            "date": time // 1000,
        }
        if self.say.business:
            message["business_connection_id"] = self.say.business
        if self.say.quote:
            quoted = self.find(id=self.say.quote)
            message["reply_to_message"] = {
                "message_id": int(quoted.id),
                "chat": message["chat"],
                "date": quoted.time // 1000,
                "text": quoted.text,
            }
        return message

    def find(self, **wanted: str) -> Shown:
        """The message meant: the one named, else the newest that fits."""
        if self.say.target:
            wanted["id"] = self.say.target
        found = self.state.newest("telegram", self.address, account=self.bot.id, **wanted)
        if found is None:
            raise Absent(f"no such message on that phone: {wanted}")
        return found

    def _author(self) -> dict[str, Any]:
        if not self.say.as_owner:
            return self.user()
        return owner_user(self.business())

    def business(self) -> TelegramBusiness:
        for business in self.bot.business:
            if business.id == self.say.business:
                return business
        raise Absent(f"no business connection {self.say.business!r} is set up")


def webhook_of(
    state: State, bot: TelegramBot, address: str, content: dict[str, Any], message_id: str
) -> Webhook:
    update_id = state.next(f"update:{bot.id}", FIRST_UPDATE)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
    if bot.secret:
        headers[SECRET_HEADER] = bot.secret
    return Webhook(
        id=f"telegram-{bot.id}-{update_id}",
        channel="telegram",
        account=bot.id,
        address=address,
        message_id=message_id,
        url=bot.webhook_url,
        headers=headers,
        body=json.dumps({"update_id": update_id} | content),
        queue=f"telegram:{bot.id}:{address}",
    )


def echo(state: State, bot: TelegramBot, address: str, shown: Shown, business: str) -> Webhook:
    """What the owner's account reports of a message that the bot sent in its name."""
    owner = next(known for known in bot.business if known.id == business)
    message = {
        "business_connection_id": business,
        "message_id": int(shown.id),
        "from": owner_user(owner),
        "sender_business_bot": bot_user(bot),
        "chat": chat_of(state, address),
        "date": shown.time // 1000,
    } | sent_content(shown)
    return webhook_of(state, bot, address, {"business_message": message}, shown.id)


def sent_content(shown: Shown) -> dict[str, Any]:
    """The part of a message of ours that says what it is."""
    if shown.file is None:
        return {"text": shown.text}
    file = {
        "file_id": f"ours-{shown.id}",
        "file_unique_id": f"uours-{shown.id}",
        "file_size": shown.file.size,
    }
    caption = {"caption": shown.text} if shown.text else {}
    if shown.kind == "photo":
        return {"photo": [file | {"width": 800, "height": 800}]} | caption
    return {shown.kind: file | {"file_name": shown.file.name, "mime_type": shown.file.mime}} | caption


def bot_user(bot: TelegramBot) -> dict[str, Any]:
    return {"id": int(bot.id), "is_bot": True, "first_name": bot.username, "username": bot.username}


def group_id(name: str) -> int:
    digest = hashlib.sha256(name.encode()).digest()
    return -1_000_000_000_000 - int.from_bytes(digest[:4], "big")


def chat_of(state: State, address: str) -> dict[str, Any]:
    if address.startswith("-"):
        return {"id": int(address), "type": "supergroup", "title": f"Group {address[-4:]}"}
    chat: dict[str, Any] = {"id": int(address.removeprefix("b")), "type": "private"}
    person = state.known(address)
    if person is not None:
        first, _, last = person.name.partition(" ")
        chat |= {"first_name": first} | ({"last_name": last} if last else {})
    return chat


def owner_user(business: TelegramBusiness) -> dict[str, Any]:
    return {"id": business.owner_id, "is_bot": False, "first_name": "Owner"}
