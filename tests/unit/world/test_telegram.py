"""Telegram's stand-in refuses and shows what Telegram does."""

from typing import Any

import pytest

from infra.world.client import WorldClient, WorldError
from sportello.channels.http import Http
from sportello.channels.signatures import equal
from sportello.domain.model import HOUR
from tests.unit.world.calls import SECRET, TOKEN, Desk, bot_call, described, options


def test_telegram_update_has_the_secret_and_the_platform_s_shape(world: WorldClient, desk: Desk) -> None:
    first = world.say("telegram", "Perché è chiuso?", language="it")
    world.say("telegram", "Ancora io")
    (path, headers, _), _ = desk.requests
    one, two = desk.telegram()
    assert path == "/telegram"
    assert equal(SECRET, headers["x-telegram-bot-api-secret-token"])
    assert two["update_id"] == one["update_id"] + 1
    assert one["message"]["text"] == "Perché è chiuso?"
    assert one["message"]["from"]["language_code"] == "it"
    assert one["message"]["chat"]["id"] == int(first.address)
    assert two["message"]["message_id"] == one["message"]["message_id"] + 1
    assert first.status == 200


def test_telegram_shows_what_is_sent(world: WorldClient) -> None:
    said = world.say("telegram", "Salve")
    keyboard = {"inline_keyboard": [[{"text": "Operatore", "callback_data": "person"}]]}
    answer = bot_call(world, "sendMessage", chat_id=said.address, text="Eccoci", reply_markup=keyboard)
    assert answer.json["result"]["text"] == "Eccoci"
    shown = world.phone("telegram")
    assert [(item.direction, item.text) for item in shown] == [("in", "Salve"), ("out", "Eccoci")]
    assert shown[1].buttons[0].title == "Operatore"
    assert shown[1].id == str(answer.json["result"]["message_id"])


@pytest.mark.parametrize(
    ("fields", "status", "description"),
    [
        ({"chat_id": 1, "text": "x"}, 400, "Bad Request: chat not found"),
        ({"text": ""}, 400, "Bad Request: message text is empty"),
        ({"text": " \n"}, 400, "Bad Request: message text is empty"),
        ({"text": "x" * 4097}, 400, "Bad Request: message is too long"),
        ({"text": "😀" * 2049}, 400, "Bad Request: message is too long"),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "B", "callback_data": "é" * 33}]]}},
            400,
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (
            {"text": "x", "reply_parameters": {"message_id": 99}},
            400,
            "Bad Request: message to be replied not found",
        ),
        (
            {"text": "x", "business_connection_id": "nobody"},
            400,
            "Bad Request: BUSINESS_CONNECTION_INVALID",
        ),
    ],
)
def test_telegram_refuses(world: WorldClient, fields: dict[str, Any], status: int, description: str) -> None:
    chat = world.say("telegram", "Salve").address
    answer = bot_call(world, "sendMessage", **({"chat_id": chat} | fields))
    assert described(answer) == (status, description)
    assert len(world.phone("telegram")) == 1


def test_telegram_takes_what_just_fits(world: WorldClient) -> None:
    chat = world.say("telegram", "Salve").address
    keyboard = {"inline_keyboard": [[{"text": "B", "callback_data": "é" * 32}]]}
    quote = {"message_id": 99, "allow_sending_without_reply": True}
    for fields in ({"text": "😀" * 2048}, {"text": "x", "reply_markup": keyboard, "reply_parameters": quote}):
        assert bot_call(world, "sendMessage", chat_id=chat, **fields).status == 200


def test_telegram_checks_token_and_method(world: WorldClient) -> None:
    assert described(bot_call(world, "getMe", token="110001:other")) == (401, "Unauthorized")
    assert described(bot_call(world, "getMe", token="nonsense")) == (404, "Not Found")
    assert described(bot_call(world, "sendNothing")) == (404, "Not Found")
    assert bot_call(world, "getMe").json["result"]["username"] == "desk_bot"


def test_telegram_blocked_until_unblocked(world: WorldClient, desk: Desk) -> None:
    chat = world.say("telegram", "Salve").address
    world.say("telegram", kind="block")
    blocked = bot_call(world, "sendMessage", chat_id=chat, text="x")
    assert described(blocked) == (403, "Forbidden: bot was blocked by the user")
    assert desk.telegram()[-1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    world.say("telegram", kind="unblock")
    assert bot_call(world, "sendMessage", chat_id=chat, text="x").status == 200


def test_telegram_rate_limit_names_the_wait(world: WorldClient) -> None:
    options(world, telegram_burst=2, telegram_per_second=0.5)
    chat = world.say("telegram", "Salve").address
    statuses = [bot_call(world, "sendMessage", chat_id=chat, text="x").status for _ in range(2)]
    third = bot_call(world, "sendMessage", chat_id=chat, text="x")
    assert [*statuses, third.status] == [200, 200, 429]
    assert 1 <= third.json["parameters"]["retry_after"] <= 2


def test_telegram_webhook_is_set_and_used(world: WorldClient, desk: Desk) -> None:
    bad = bot_call(world, "setWebhook", url="http://example.com/x")
    assert bad.json["description"].startswith("Bad Request: bad webhook")
    assert bot_call(world, "setWebhook", url="https://example.com", secret_token="é").status == 400
    set_to = f"{desk.url}/elsewhere"
    assert bot_call(world, "setWebhook", url=set_to, secret_token="new").status == 200
    assert bot_call(world, "getWebhookInfo").json["result"]["url"] == set_to
    world.say("telegram", "Salve")
    path, headers, _ = desk.requests[0]
    assert (path, headers["x-telegram-bot-api-secret-token"]) == ("/elsewhere", "new")
    assert bot_call(world, "getUpdates").status == 409
    bot_call(world, "deleteWebhook")
    assert world.say("telegram", "Salve").note == "no webhook is set"


def test_telegram_default_updates_leave_reactions_out(world: WorldClient, desk: Desk) -> None:
    bot_call(world, "setWebhook", url=f"{desk.url}/telegram", allowed_updates=[])
    chat = world.say("telegram", "Salve").address
    bot_call(world, "sendMessage", chat_id=chat, text="Eccoci")
    withheld = world.say("telegram", "👍", kind="reaction")
    assert withheld.statuses == ()
    assert "allowed_updates" in withheld.note
    bot_call(world, "setWebhook", url=f"{desk.url}/telegram", allowed_updates=["message_reaction"])
    assert world.say("telegram", "👍", kind="reaction").status == 200
    assert desk.telegram()[-1]["message_reaction"]["new_reaction"][0]["emoji"] == "👍"


def test_telegram_tap_edit_and_file(world: WorldClient, desk: Desk) -> None:
    chat = world.say("telegram", "Salve").address
    keyboard = {"inline_keyboard": [[{"text": "Operatore", "callback_data": "person"}]]}
    bot_call(world, "sendMessage", chat_id=chat, text="Eccoci", reply_markup=keyboard)
    world.say("telegram", kind="button", button="Operatore")
    world.say("telegram", "Salve a tutti", kind="edit", target="1")
    world.say("telegram", "Ecco", kind="media")
    tap, edit, photo = desk.telegram()[1:]
    assert tap["callback_query"]["data"] == "person"
    known = bot_call(world, "answerCallbackQuery", callback_query_id=tap["callback_query"]["id"])
    assert (known.status, bot_call(world, "answerCallbackQuery", callback_query_id="0").status) == (200, 400)
    assert edit["edited_message"]["message_id"] == 1
    assert world.phone("telegram")[0].text == "Salve a tutti"
    size = photo["message"]["photo"][-1]
    path = bot_call(world, "getFile", file_id=size["file_id"]).json["result"]["file_path"]
    file = Http(world.url).request("GET", f"https://api.telegram.org/file/bot{TOKEN}/{path}")
    assert len(file.body) == size["file_size"]
    with pytest.raises(WorldError, match="no button"):
        world.say("telegram", kind="button", button="Nessuno")


def test_telegram_business_window_echo_and_delete(world: WorldClient, desk: Desk) -> None:
    said = world.say("telegram", "Salve", business="bc-1")
    assert said.address.startswith("b")
    to_owner = {"chat_id": said.address[1:], "business_connection_id": "bc-1", "text": "Eccoci"}
    assert bot_call(world, "sendMessage", **to_owner).status == 200
    world.settle()
    world.say("telegram", kind="delete", business="bc-1")
    message, echo, deleted = desk.telegram()
    assert message["business_message"]["business_connection_id"] == "bc-1"
    assert echo["business_message"]["sender_business_bot"]["id"] == 110001
    assert deleted["deleted_business_messages"]["message_ids"] == [message["business_message"]["message_id"]]
    world.clock(24 * HOUR)
    late = bot_call(world, "sendMessage", **to_owner)
    assert described(late) == (400, "Bad Request: BUSINESS_PEER_USAGE_MISSING")
