"""Telegram's Bot API as the desk calls it: core.telegram.org/bots/api.

Errors have the server's own words: ``{"ok": false, "error_code": 400, "description": …}``.
"""

import math
import re
from collections.abc import Callable
from typing import Any, ClassVar

from infra.world.faults import Fault
from infra.world.files import place_of
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.telegram_answers import fields_of, refusal, success, too_many
from infra.world.telegram_bot import LOCAL_BOT, TelegramBot
from infra.world.telegram_chat import bot_user, chat_of, echo, sent_content
from infra.world.telegram_rules import (
    FILE_FIELDS,
    Refused,
    allowed_updates,
    check_business,
    check_secret,
    check_url,
    checked_caption,
    checked_file,
    checked_keyboard,
    checked_text,
    shown_buttons,
)
from infra.world.telegram_updates import build, file_url
from infra.world.wire import Answer, Call, Target
from sportello.channels.base import Button
from sportello.domain.model import HOUR

PATH = re.compile(r"/bot([^/]*)/([A-Za-z]+)")
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
BUSINESS_WINDOW = 24 * HOUR
DOWNLOAD_LIMIT = 20_000_000


class Telegram(StandIn):
    name = "telegram"
    hosts = ("api.telegram.org",)
    faults = frozenset(
        {"429", "500", "token_expired", "blocked", "deactivated", "chat_not_found", "migrated", "error"}
    )
    account_model = TelegramBot
    methods: ClassVar[dict[str, str]] = {
        name.lower(): name
        for name in (
            "getMe", "setWebhook", "deleteWebhook", "getWebhookInfo", "getUpdates", "sendMessage",
            "sendChatAction", "answerCallbackQuery", "getFile", "getBusinessConnection", *FILE_FIELDS,
        )
    }  # fmt: skip

    def local_account(self) -> TelegramBot:
        return LOCAL_BOT

    def local_connection(self, account: TelegramBot) -> dict[str, Any]:
        return {
            "secrets": [account.secret],
            "token": account.token,
            "accounts": [{"id": account.id, "role": "care", "name": account.username}],
        }

    def address(self, person: Person) -> str:
        return str(person.telegram_id)

    def addresses(self, person: Person) -> tuple[str, ...]:
        """The chat with the bot, and the one with a business account."""
        return (self.address(person), f"b{person.telegram_id}")

    def say(self, say: Say) -> tuple[Webhook, str]:
        return build(self.state, say)

    def accepts(self, status: int, body: str) -> bool:
        return 200 <= status < 300

    def target(self, call: Call) -> Target:
        match = PATH.fullmatch(call.path)
        if match is None:
            return Target("unknown")
        method = self.methods.get(match.group(2).lower(), "unknown")
        fields = fields_of(call)
        chat = str(fields.get("chat_id", ""))
        address = f"b{chat}" if fields.get("business_connection_id") else chat
        return Target(method, address, sends=method == "sendMessage" or method in FILE_FIELDS)

    def answer(self, call: Call) -> Answer:
        match = PATH.fullmatch(call.path)
        if match is None or not TOKEN.fullmatch(match.group(1)):
            return refusal(404, "Not Found")
        with self.state.lock:
            bot = self._bot_of(match.group(1))
            if bot is None:
                return refusal(401, "Unauthorized")
            return self._run(bot, match.group(2), fields_of(call))

    def fail(self, call: Call, fault: Fault) -> Answer:
        if fault.kind == "429":
            return too_many(fault.retry_after)
        if fault.kind == "migrated":
            moved = {"migrate_to_chat_id": int(fault.code or "-1000000000001")}
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            return refusal(400, text, parameters=moved)
        status, text = {
            "500": (500, "Internal Server Error"),
            "token_expired": (401, "Unauthorized"),
            "blocked": (403, "Forbidden: bot was blocked by the user"),
            "deactivated": (403, "Forbidden: user is deactivated"),
            "chat_not_found": (400, "Bad Request: chat not found"),
        }.get(fault.kind, (400, f"Bad Request: {fault.text}"))
        return refusal(status, text)

    def _bot_of(self, token: str) -> TelegramBot | None:
        return next((bot for bot in self.state.accounts_of("telegram") if bot.token == token), None)

    def _run(self, bot: TelegramBot, method: str, fields: dict[str, Any]) -> Answer:
        name = self.methods.get(method.lower())
        if name is None:
            return refusal(404, "Not Found")
        try:
            if name in FILE_FIELDS:
                return self._send_file(bot, FILE_FIELDS[name], fields)
            runner: Callable[[TelegramBot, dict[str, Any]], Answer] = getattr(self, "_" + name.lower())
            return runner(bot, fields)
        except Refused as refused:
            return refusal(refused.status, refused.description)

    # --- methods: the names are Telegram's, in lower case -------------------------------------

    def _getme(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        abilities = {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": True,
        }
        return success(bot_user(bot) | abilities)

    def _setwebhook(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        url = str(fields.get("url", ""))
        if not url:
            return self._deletewebhook(bot, fields)
        check_url(url)
        secret = str(fields.get("secret_token", ""))
        check_secret(secret)
        update: dict[str, Any] = {"webhook_url": url, "secret": secret}
        if "allowed_updates" in fields:
            update["allowed_updates"] = allowed_updates(fields["allowed_updates"])
        self._replace(bot, update)
        return success(True, description="Webhook was set")

    def _deletewebhook(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        self._replace(bot, {"webhook_url": "", "secret": ""})
        return success(True, description="Webhook was deleted")

    def _getwebhookinfo(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        info: dict[str, Any] = {
            "url": bot.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": 0,
            "max_connections": 40,
        }
        if bot.allowed_updates:
            info["allowed_updates"] = list(bot.allowed_updates)
        return success(info)

    def _getupdates(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        if bot.webhook_url:
            text = "Conflict: can't use getUpdates method while webhook is active"
            return refusal(409, f"{text}; use deleteWebhook to delete the webhook first")
        return success([])

    def _sendmessage(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        address = self._open_chat(bot, fields)
        return self._send(bot, address, fields, {"text": checked_text(fields)})

    def _send_file(self, bot: TelegramBot, name: str, fields: dict[str, Any]) -> Answer:
        address = self._open_chat(bot, fields)
        file, caption = checked_file(fields, name), checked_caption(fields)
        return self._send(bot, address, fields, {"kind": name, "text": caption, "file": file})

    def _send(
        self, bot: TelegramBot, address: str, fields: dict[str, Any], content: dict[str, Any]
    ) -> Answer:
        keyboard = checked_keyboard(fields.get("reply_markup"))
        quoted = self._quoted(bot, address, fields)
        wait = self.state.buckets.take(
            f"telegram:{bot.id}:{address}",
            self.state.options.telegram_burst,
            self.state.options.telegram_per_second,
        )
        if wait:
            return too_many(math.ceil(wait))
        answer = self._show(bot, address, content, keyboard, quoted)
        self._echo(bot, address, answer.id, str(fields.get("business_connection_id", "")))
        return answer

    def _sendchataction(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        self._open_chat(bot, fields)
        return success(True)

    def _answercallbackquery(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        known = f"callback:{bot.id}:{fields.get('callback_query_id', '')}"
        if known not in self.state.counters:
            raise Refused("query is too old and response timeout expired or query ID is invalid")
        if len(str(fields.get("text", ""))) > 200:
            raise Refused("MESSAGE_TOO_LONG")
        return success(True)

    def _getfile(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        file_id = str(fields.get("file_id", ""))
        place = place_of(file_url(bot, file_id))
        served = self.state.served(place)
        if served is None:
            raise Refused("wrong file_id or the file is temporarily unavailable")
        size = len(served.content(place))
        if size > DOWNLOAD_LIMIT:
            raise Refused("file is too big")
        file = {"file_id": file_id, "file_unique_id": "u" + file_id, "file_size": size}
        return success(file | {"file_path": f"files/{file_id}"})

    def _getbusinessconnection(self, bot: TelegramBot, fields: dict[str, Any]) -> Answer:
        for business in bot.business:
            if business.id == fields.get("business_connection_id"):
                return success({"id": business.id, "is_enabled": business.enabled})
        raise Refused("BUSINESS_CONNECTION_INVALID")

    # --- parts -------------------------------------------------------------------------------

    def _replace(self, bot: TelegramBot, update: dict[str, Any]) -> None:
        self.state.keep_account("telegram", bot.model_copy(update=update))

    def _open_chat(self, bot: TelegramBot, fields: dict[str, Any]) -> str:
        """The phone address of a chat that this bot may write to now."""
        chat_id = str(fields.get("chat_id", ""))
        if not chat_id:
            raise Refused("chat_id is empty")
        connection = str(fields.get("business_connection_id", ""))
        address = f"b{chat_id}" if connection else chat_id
        talk = self.state.talk("telegram", bot.id, address)
        if connection:
            check_business(bot, connection)
            if talk is None or talk.last_in is None or self.state.now() >= talk.last_in + BUSINESS_WINDOW:
                raise Refused("BUSINESS_PEER_USAGE_MISSING")
        if talk is None:
            raise Refused("chat not found")
        if talk.blocked:
            raise Refused("Forbidden: bot was blocked by the user", 403)
        return address

    def _quoted(self, bot: TelegramBot, address: str, fields: dict[str, Any]) -> Shown | None:
        reply = fields.get("reply_parameters")
        if not reply:
            return None
        if not isinstance(reply, dict) or "message_id" not in reply:
            raise Refused("can't parse reply parameters: message_id is not specified")
        found = self.state.newest("telegram", address, id=str(reply["message_id"]), account=bot.id)
        if found is None and not reply.get("allow_sending_without_reply"):
            raise Refused("message to be replied not found")
        return found

    def _show(
        self,
        bot: TelegramBot,
        address: str,
        content: dict[str, Any],
        keyboard: dict[str, Any],
        quoted: Shown | None,
    ) -> Answer:
        talk = self.state.talk("telegram", bot.id, address)
        number = talk.next_id if talk else 1
        self.state.keep_talk("telegram", bot.id, address, next_id=number + 1)
        buttons: tuple[Button, ...] = shown_buttons(keyboard)
        time = self.state.now()
        shown = Shown(
            id=str(number),
            direction="out",
            buttons=buttons,
            time=time,
            account=bot.id,
            quote=quoted.id if quoted else "",
            **content,
        )
        self.state.show("telegram", address, shown)
        message: dict[str, Any] = {
            "message_id": number,
            "from": bot_user(bot),
            "chat": chat_of(self.state, address),
            "date": time // 1000,
        } | sent_content(shown)
        if keyboard:
            message["reply_markup"] = keyboard
        if quoted:
            message["reply_to_message"] = {"message_id": int(quoted.id), "date": quoted.time // 1000}
        return success(message, id=str(number))

    def _echo(self, bot: TelegramBot, address: str, message_id: str, connection: str) -> None:
        shown = self.state.newest("telegram", address, id=message_id, account=bot.id)
        if connection and shown is not None and bot.webhook_url:
            self.post(echo(self.state, bot, address, shown, connection), 0.05)
