"""The local world as a witness: it refuses what the platforms refuse, and signs as they sign."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from sportello.channels.http import Answer, Http, NoAnswer
from sportello.channels.signatures import equal, hmac_sha256_hex
from sportello.domain.model import HOUR

from infra.world.client import WorldClient, WorldError
from infra.world.model import (
    Options,
    OptionsChange,
    Setup,
    TelegramBot,
    TelegramBusiness,
    TemplateForm,
    WhatsAppNumber,
)
from infra.world.server import World

TOKEN = "110001:test-token"
SECRET = "telegram-secret"
APP_SECRET = "0123456789abcdef0123456789abcdef"
HOOK = "/services/T0/B0/hook"
NUMBER = "200001"


class Desk:
    """Stands for our function: keeps what reaches it, and answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        desk = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                desk.requests.append((self.path, headers, body))
                self.send_response(desk.statuses.pop(0) if desk.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                body = b"1234" if "verify_token=wrong" in self.path else self._challenge()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _challenge(self) -> bytes:
                return self.path.split("hub.challenge=")[1].split("&")[0].encode()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.block_on_close = False
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(body) for at, _, body in self.requests if at == path]

    def telegram(self) -> list[dict[str, Any]]:
        return self.bodies("/telegram")

    def messages(self) -> list[dict[str, Any]]:
        return [item for value in self._values() for item in value.get("messages", [])]

    def statuses_seen(self) -> list[dict[str, Any]]:
        return [item for value in self._values() for item in value.get("statuses", [])]

    def _values(self) -> list[dict[str, Any]]:
        return [body["entry"][0]["changes"][0]["value"] for body in self.bodies("/whatsapp")]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


@pytest.fixture
def world(desk: Desk) -> Iterator[WorldClient]:
    with World() as running:
        client = running.client()
        client.setup(set_up(desk))
        yield client
        client.close()


def set_up(desk: Desk) -> Setup:
    business = TelegramBusiness(id="bc-1", owner_id=42)
    bot = TelegramBot(
        token=TOKEN,
        id=110001,
        username="desk_bot",
        webhook_url=f"{desk.url}/telegram",
        secret=SECRET,
        business=(business,),
    )
    form = TemplateForm(name="hello", language="it", body="Ciao {{1}}", buttons=("Va bene",))
    number = WhatsAppNumber(
        phone_number_id=NUMBER,
        waba_id="300001",
        token="wa-token",
        display_phone_number="15550100000",
        app_secret=APP_SECRET,
        webhook_url=f"{desk.url}/whatsapp",
        templates=(form,),
    )
    return Setup(telegram=(bot,), whatsapp=(number,), slack=(HOOK,))


def options(world: WorldClient, **change: Any) -> None:
    world.setup(Setup(options=OptionsChange(**change)))


def bot_call(world: WorldClient, method: str, token: str = TOKEN, **fields: Any) -> Answer:
    url = f"https://api.telegram.org/bot{token}/{method}"
    return Http(world.url, read_seconds=2).request("POST", url, json_body=fields)


def graph(world: WorldClient, body: Any, path: str = f"{NUMBER}/messages", token: str = "wa-token") -> Answer:
    url = f"https://graph.facebook.com/v26.0/{path}"
    headers = {"authorization": f"Bearer {token}"}
    return Http(world.url, read_seconds=2).request("POST", url, json_body=body, headers=headers)


def text_to(address: str, text: str = "Buongiorno", **more: Any) -> dict[str, Any]:
    base = {"messaging_product": "whatsapp", "to": address, "type": "text", "text": {"body": text}}
    return base | more


def code_of(answer: Answer) -> tuple[int, int]:
    return answer.status, answer.json["error"]["code"]


def slack_post(world: WorldClient, payload: Any, path: str = HOOK) -> tuple[int, str]:
    answer = Http(world.url, read_seconds=2).request(
        "POST", f"https://hooks.slack.com{path}", json_body=payload
    )
    return answer.status, answer.body.decode()


def described(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["description"]


# --- Telegram ------------------------------------------------------------------------------------


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


# --- WhatsApp ------------------------------------------------------------------------------------


def test_whatsapp_signature_is_over_the_bytes_as_sent(world: WorldClient, desk: Desk) -> None:
    world.say("whatsapp", "Perché è chiuso? 😀 http://a.b")
    _, headers, body = desk.requests[0]
    assert equal(f"sha256={hmac_sha256_hex(APP_SECRET, body)}", headers["x-hub-signature-256"])
    assert rb"\u00e9" in body
    assert rb"http:\/\/a.b" in body
    again = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert not equal(f"sha256={hmac_sha256_hex(APP_SECRET, again)}", headers["x-hub-signature-256"])


def test_whatsapp_names_the_customer_by_number_and_scoped_id(world: WorldClient, desk: Desk) -> None:
    said = world.say("whatsapp", "Salve", at=1_700_000_000_123)
    world.say("whatsapp", "Sono io", username_only=True)
    known, hidden = desk.messages()
    assert known["from"] == said.address
    assert known["from"].startswith("1")
    assert known["from"][4:9] == "55501"
    assert known["timestamp"] == "1700000000"
    assert known["from_user_id"] == hidden["from_user_id"]
    assert known["id"] != hidden["id"]
    assert "from" not in hidden


def test_whatsapp_send_is_shown_and_reported_with_our_data(world: WorldClient, desk: Desk) -> None:
    address = world.say("whatsapp", "Salve").address
    answer = graph(world, text_to(f"+{address}", biz_opaque_callback_data="row-1"))
    wamid = answer.json["messages"][0]["id"]
    world.settle()
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Buongiorno"]
    seen = desk.statuses_seen()
    assert sorted(status["status"] for status in seen) == ["delivered", "sent"]
    assert {(status["id"], status["biz_opaque_callback_data"]) for status in seen} == {(wamid, "row-1")}
    for _, headers, body in desk.requests:
        assert equal(f"sha256={hmac_sha256_hex(APP_SECRET, body)}", headers["x-hub-signature-256"])


def test_whatsapp_scoped_id_goes_in_recipient_only(world: WorldClient, desk: Desk) -> None:
    world.say("whatsapp", "Salve")
    scoped = desk.messages()[0]["from_user_id"]
    body = text_to("") | {"recipient": scoped}
    assert graph(world, body).json["contacts"] == [{"input": scoped, "user_id": scoped}]
    assert code_of(graph(world, text_to(scoped))) == (400, 131009)


def reply_buttons(count: int, title: str = "Sì") -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": f"b{number}", "title": f"{title}{number}"}}
        for number in range(count)
    ]
    return {"type": "button", "body": {"text": "Scelga"}, "action": {"buttons": buttons}}


def list_rows(count: int) -> dict[str, Any]:
    rows = [{"id": f"r{number}", "title": f"Riga {number}"} for number in range(count)]
    action = {"button": "Apri", "sections": [{"title": "Tutte", "rows": rows}]}
    return {"type": "list", "body": {"text": "Scelga"}, "action": action}


def interactive(content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": content}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"messaging_product": "sms"}, (400, 100)),
        ({"to": ""}, (400, 100)),
        ({"type": "telegram"}, (400, 100)),
        ({"text": {"body": "x" * 4097}}, (400, 100)),
        ({"text": {"body": " "}}, (400, 100)),
        ({"text": "x"}, (400, 100)),
        ({"to": "12025550199"}, (400, 131026)),
        (interactive(reply_buttons(4)), (400, 131009)),
        (interactive(reply_buttons(0)), (400, 131009)),
        (interactive(reply_buttons(1, "x" * 20)), (400, 100)),
        (interactive(list_rows(11)), (400, 131009)),
        ({"type": "template", "template": {"name": "none", "language": {"code": "it"}}}, (404, 132001)),
        ({"type": "template", "template": {"name": "hello", "language": {"code": "it"}}}, (400, 132000)),
        ({"biz_opaque_callback_data": "x" * 513}, (400, 100)),
    ],
)
def test_whatsapp_refuses(world: WorldClient, change: dict[str, Any], expected: tuple[int, int]) -> None:
    address = world.say("whatsapp", "Salve").address
    assert code_of(graph(world, text_to(address) | change)) == expected
    assert len(world.phone("whatsapp")) == 1


def test_whatsapp_takes_what_just_fits(world: WorldClient) -> None:
    address = world.say("whatsapp", "Salve").address
    for change in (interactive(reply_buttons(3)), interactive(list_rows(10)), {"text": {"body": "x" * 4096}}):
        assert graph(world, text_to(address) | change).status == 200


def test_whatsapp_checks_token_and_number(world: WorldClient) -> None:
    assert code_of(graph(world, text_to("1"), token="other")) == (401, 190)
    assert code_of(graph(world, text_to("1"), path="999/messages")) == (400, 100)


def test_whatsapp_window_closes_after_a_day_but_for_templates(world: WorldClient) -> None:
    address = world.say("whatsapp", "Salve").address
    world.clock(24 * HOUR - 60_000)
    assert graph(world, text_to(address)).status == 200
    world.clock(24 * HOUR)
    assert code_of(graph(world, text_to(address))) == (400, 131047)
    parameters = [{"type": "body", "parameters": [{"type": "text", "text": "Lei"}]}]
    form = {"name": "hello", "language": {"code": "it"}, "components": parameters}
    assert graph(world, text_to(address) | {"type": "template", "template": form}).status == 200
    shown = world.phone("whatsapp")[-1]
    assert (shown.text, shown.buttons[0].title) == ("Ciao Lei", "Va bene")
    world.say("whatsapp", "Rieccomi")
    assert graph(world, text_to(address)).status == 200


def test_whatsapp_errors_can_come_as_a_status(world: WorldClient, desk: Desk) -> None:
    options(world, whatsapp_errors="status")
    address = world.say("whatsapp", "Salve").address
    world.clock(25 * HOUR)
    answer = graph(world, text_to(address, biz_opaque_callback_data="row-1"))
    assert answer.status == 200
    world.settle()
    (failed,) = desk.statuses_seen()
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)
    assert failed["biz_opaque_callback_data"] == "row-1"
    assert len(world.phone("whatsapp")) == 1


def test_whatsapp_pair_rate_where_it_is_on(world: WorldClient) -> None:
    options(world, whatsapp_pair_rate=True, receipts="off")
    address = world.say("whatsapp", "Salve").address
    answers = [graph(world, text_to(address)) for _ in range(46)]
    assert [answer.status for answer in answers[:45]] == [200] * 45
    assert code_of(answers[45]) == (429, 131056)


def test_whatsapp_tap_edit_delete_reaction_and_block(world: WorldClient, desk: Desk) -> None:
    options(world, receipts="off")
    said = world.say("whatsapp", "Salve")
    graph(world, text_to(said.address) | interactive(reply_buttons(2)))
    world.say("whatsapp", kind="button", button="Sì1")
    world.say("whatsapp", "Salve a tutti", kind="edit", target=said.message_id)
    world.say("whatsapp", "👍", kind="reaction")
    world.say("whatsapp", kind="delete", target=said.message_id)
    tap, edit, reaction, revoke = desk.messages()[1:]
    assert tap["interactive"]["button_reply"] == {"id": "b1", "title": "Sì1"}
    assert edit["edit"]["original_message_id"] == said.message_id
    assert reaction["reaction"]["emoji"] == "👍"
    assert revoke["revoke"]["original_message_id"] == said.message_id
    assert world.phone("whatsapp")[0].deleted
    world.say("whatsapp", kind="block")
    assert code_of(graph(world, text_to(said.address))) == (400, 131026)


def test_whatsapp_customer_moves_to_another_number(world: WorldClient, desk: Desk) -> None:
    old = world.say("whatsapp", "Salve").address
    scoped = desk.messages()[0]["from_user_id"]
    new = world.say("whatsapp", kind="moved").address
    system = desk.messages()[-1]["system"]
    assert (system["wa_id"], system["previous_user_id"]) == (new, scoped)
    assert code_of(graph(world, text_to(old))) == (400, 131026)
    assert graph(world, text_to(new)).status == 200
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Buongiorno"]


def test_whatsapp_callback_is_verified_before_it_is_used(world: WorldClient, desk: Desk) -> None:
    path = "300001/subscribed_apps"
    override = {"override_callback_uri": f"{desk.url}/new", "verify_token": "wrong"}
    assert code_of(graph(world, override, path=path)) == (400, 2200)
    assert graph(world, override | {"verify_token": "right"}, path=path).json == {"success": True}
    world.say("whatsapp", "Salve")
    assert desk.requests[-1][0] == "/new"


# --- Slack and mail --------------------------------------------------------------------------------


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, (400, "no_text")),
        ({"text": ""}, (400, "no_text")),
        (["text"], (400, "invalid_payload")),
        ({"text": "x", "blocks": {}}, (400, "invalid_blocks_format")),
        ({"text": "x", "blocks": [section("x")] * 51}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [section("x" * 3001)]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [section("")]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [header("x" * 151)]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [{"type": "unheard"}]}, (400, "invalid_blocks")),
        ({"text": "x", "blocks": [section("x" * 3000), header("x" * 150)]}, (200, "ok")),
        ({"text": "x"}, (200, "ok")),
    ],
)
def test_slack_checks_the_payload(world: WorldClient, payload: Any, expected: tuple[int, str]) -> None:
    assert slack_post(world, payload) == expected
    assert len(world.slack().get(HOOK, [])) == (1 if expected[0] == 200 else 0)


def test_slack_renders_and_tells_pings(world: WorldClient) -> None:
    assert slack_post(world, {"text": "x"}, path="/services/none") == (404, "no_service")
    button = {"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Apri"}}
    blocks = [header("Chiede aiuto"), section("a &lt;b&gt; &amp; <!channel>")]
    slack_post(world, {"text": "x", "blocks": [*blocks, {"type": "actions", "elements": [button]}]})
    (post,) = world.slack()[HOOK]
    assert post.text.splitlines()[:2] == ["Chiede aiuto", "a <b> & !channel"]
    assert post.pings == ("!channel",)
    assert post.buttons[0].title == "Apri"


@pytest.fixture
def ses(world: WorldClient) -> Any:
    return boto3.client(
        "sesv2",
        endpoint_url=world.url,
        region_name="eu-south-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def simple(subject: str = "Chiede aiuto") -> dict[str, Any]:
    return {"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "Testo"}}}}


def test_mail_lies_in_each_mailbox(world: WorldClient, ses: Any) -> None:
    destination = {"ToAddresses": ["Care <Care@example.com>"], "CcAddresses": ["second@example.com"]}
    sent = ses.send_email(
        FromEmailAddress="desk@example.com", Destination=destination, Content=simple("Città chiusa")
    )
    boxes = world.mail()
    assert set(boxes) == {"care@example.com", "second@example.com"}
    (letter,) = boxes["care@example.com"]
    assert (letter.id, letter.subject, letter.text) == (sent["MessageId"], "Città chiusa", "Testo")


def test_mail_takes_raw_mime(world: WorldClient, ses: Any) -> None:
    raw = b"From: desk@example.com\r\nTo: care@example.com\r\nSubject: Aiuto\r\n\r\nTesto\r\n"
    ses.send_email(Content={"Raw": {"Data": raw}})
    (letter,) = world.mail()["care@example.com"]
    assert (letter.subject, letter.text.strip(), letter.raw) == ("Aiuto", "Testo", raw.decode())


@pytest.mark.parametrize(
    ("sender", "to", "content"),
    [
        ("desk@example.com\r\nBcc: x@example.com", ["care@example.com"], simple()),
        ("desk@example.com", ["care@example.com\nBcc: x@example.com"], simple()),
        ("desk@example.com", ["care@example.com"], simple("Aiuto\r\nBcc: x@example.com")),
        ("desk@example.com", [], simple()),
        ("desk@example.com", ["nobody"], simple()),
        ("desk@example.com", [f"a{number}@example.com" for number in range(51)], simple()),
        ("desk@example.com", ["a@example.com, b@example.com"], simple()),
    ],
)
def test_mail_refuses(world: WorldClient, ses: Any, sender: str, to: list[str], content: Any) -> None:
    with pytest.raises(ClientError) as refused:
        ses.send_email(FromEmailAddress=sender, Destination={"ToAddresses": to}, Content=content)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert world.mail() == {}


def test_mail_wants_a_signature_and_a_verified_sender(world: WorldClient, ses: Any) -> None:
    unsigned = Http(world.url).request("POST", f"{world.url}/v2/email/outbound-emails", json_body={})
    assert unsigned.status == 404  # the rewrite put a host before it: nobody stands in for that
    bare = Http().request("POST", f"{world.url}/v2/email/outbound-emails", json_body={})
    assert (bare.status, bare.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
    options(world, verified_senders=("example.org",))
    arguments = {"Destination": {"ToAddresses": ["care@example.com"]}, "Content": simple()}
    with pytest.raises(ClientError, match="MessageRejected"):
        ses.send_email(FromEmailAddress="desk@example.com", **arguments)
    assert ses.send_email(FromEmailAddress="desk@example.org", **arguments)["MessageId"]


# --- Faults ----------------------------------------------------------------------------------------


def test_fault_429_for_one_customer_and_so_many_times(world: WorldClient) -> None:
    one, two = (world.say("telegram", "Salve", f"Customer {name}").address for name in ("One", "Two"))
    world.fault("telegram", "429", times=2, match="Customer One", retry_after=7)
    assert bot_call(world, "getMe").status == 200
    assert bot_call(world, "sendMessage", chat_id=two, text="x").status == 200
    answers = [bot_call(world, "sendMessage", chat_id=one, text="x") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].json["parameters"] == {"retry_after": 7}


def test_fault_hang_after_accepting_shows_it_and_says_nothing(world: WorldClient, desk: Desk) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", "hang_after_accepting", seconds=20)
    with pytest.raises(NoAnswer):
        graph(world, text_to(address, biz_opaque_callback_data="row-1"))
    world.settle()
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Buongiorno"]
    assert {status["biz_opaque_callback_data"] for status in desk.statuses_seen()} == {"row-1"}
    entry = [entry for entry in world.log() if entry.direction == "call"][-1]
    assert (entry.status, entry.fault, bool(entry.id)) == (0, "hang_after_accepting", True)


@pytest.mark.parametrize(("kind", "shown"), [("hang", 0), ("reset", 0), ("reset_after_accepting", 1)])
def test_fault_no_answer(world: WorldClient, kind: str, shown: int) -> None:
    address = world.say("telegram", "Salve").address
    world.fault("telegram", kind, seconds=20)
    with pytest.raises(NoAnswer):
        bot_call(world, "sendMessage", chat_id=address, text="x")
    assert len(world.phone("telegram")) == 1 + shown
    assert bot_call(world, "sendMessage", chat_id=address, text="x").status == 200


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("429", (429, 130429)),
        ("500", (500, 131000)),
        ("token_expired", (401, 190)),
        ("window_closed", (400, 131047)),
        ("blocked", (400, 131026)),
    ],
)
def test_faults_of_whatsapp(world: WorldClient, kind: str, expected: tuple[int, int]) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", kind)
    assert code_of(graph(world, text_to(address))) == expected
    assert graph(world, text_to(address)).status == 200


def test_faults_until_cleared_and_unknown_ones_refused(world: WorldClient, ses: Any) -> None:
    world.fault("slack", "500", times=None)
    assert [slack_post(world, {"text": "x"})[0] for _ in range(3)] == [500] * 3
    world.clear("slack")
    assert slack_post(world, {"text": "x"}) == (200, "ok")
    world.fault("mail", "throttled")
    arguments = {"Destination": {"ToAddresses": ["care@example.com"]}, "Content": simple()}
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        ses.send_email(FromEmailAddress="desk@example.com", **arguments)
    with pytest.raises(WorldError, match="no fault"):
        world.fault("slack", "window_closed")


def test_fault_told_late_and_a_group_that_moved(world: WorldClient, desk: Desk) -> None:
    address = world.say("whatsapp", "Salve").address
    world.fault("whatsapp", "failed_later", code="131049")
    assert graph(world, text_to(address)).status == 200
    world.settle()
    (failed,) = desk.statuses_seen()
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131049)
    group = world.say("telegram", "Ciao a tutti", group="Soci").address
    chat = desk.telegram()[0]["message"]["chat"]
    assert (str(chat["id"]), chat["type"]) == (group, "supergroup")
    world.fault("telegram", "migrated", code="-1009")
    moved = bot_call(world, "sendMessage", chat_id=group, text="x")
    assert (moved.status, moved.json["parameters"]) == (400, {"migrate_to_chat_id": -1009})
    assert bot_call(world, "sendMessage", chat_id=group, text="x").status == 200


# --- Delivery --------------------------------------------------------------------------------------


def test_refused_webhooks_are_tried_again_and_hold_up_their_chat(world: WorldClient, desk: Desk) -> None:
    options(world, retries=(0.05, 0.1, 0.2))
    desk.statuses = [503, 503]
    assert world.say("telegram", "Uno").status == 503
    assert world.say("telegram", "Due").status == 0
    world.settle()
    texts = [update["message"]["text"] for update in desk.telegram()]
    assert texts == ["Uno", "Uno", "Uno", "Due"]
    tries = [(entry.attempt, entry.status) for entry in world.log() if entry.direction == "webhook"]
    assert tries == [(1, 503), (2, 503), (3, 200), (1, 200)]


def test_retries_end(world: WorldClient, desk: Desk) -> None:
    options(world, retries=(0.01, 0.01, 0.01))
    desk.statuses = [500] * 4
    world.say("whatsapp", "Salve")
    world.settle()
    assert len(desk.requests) == 4
    assert len({body for _, _, body in desk.requests}) == 1


def test_copies_redelivery_and_requests_for_shuffling(world: WorldClient, desk: Desk) -> None:
    said = world.say("whatsapp", "Salve", copies=3)
    assert said.statuses == (200, 200, 200)
    assert world.redeliver(said.id).statuses == (200,)
    assert len({(headers["x-hub-signature-256"], body) for _, headers, body in desk.requests}) == 1
    built = world.say("whatsapp", "Più tardi", deliver=False)
    assert built.statuses == ()
    assert built.request is not None
    signature = built.request.headers["X-Hub-Signature-256"]
    assert equal(f"sha256={hmac_sha256_hex(APP_SECRET, built.request.body.encode())}", signature)
    assert len(desk.requests) == 4
    assert [item.text for item in world.phone("whatsapp")] == ["Salve", "Più tardi"]


def test_names_keep_their_ids_and_strangers_differ(world: WorldClient) -> None:
    people = [f"Customer {number}" for number in range(500)]
    first = [world.say("whatsapp", "x", name, deliver=False).address for name in people]
    again = [world.say("whatsapp", "x", name, deliver=False).address for name in reversed(people)]
    assert again[::-1] == first
    assert len(set(first)) == 500
    assert world.say("whatsapp", "x", first[7], deliver=False).address == first[7]
    assert len(world.phone("whatsapp", "Customer 7")) == 3


def test_nothing_is_lost_under_load(world: WorldClient) -> None:
    options(world, receipts="off", telegram_burst=100_000)
    people = [f"Customer {number}" for number in range(16)]
    chats = {name: world.say("telegram", "Salve", name).address for name in people}

    def write(name: str) -> list[int]:
        http = Http(world.url)
        url = f"https://api.telegram.org/bot{TOKEN}/sendMessage"
        bodies = ({"chat_id": chats[name], "text": f"{number}"} for number in range(125))
        return [http.request("POST", url, json_body=body).json["result"]["message_id"] for body in bodies]

    with ThreadPoolExecutor(16) as pool:
        ids = dict(zip(people, pool.map(write, people), strict=True))
    sent = [entry for entry in world.log() if entry.method == "sendMessage"]
    assert len(sent) == 2000
    assert [entry.n for entry in sent] == sorted({entry.n for entry in sent})
    for name in people:
        shown = [item for item in world.phone("telegram", name) if item.direction == "out"]
        assert [int(item.id) for item in shown] == ids[name]
        assert [item.text for item in shown] == [str(number) for number in range(125)]


def test_log_holds_no_token_and_counts_on(world: WorldClient) -> None:
    bot_call(world, "getMe")
    before = world.log()[-1].n
    bot_call(world, "getWebhookInfo")
    (entry,) = world.log(since=before)
    assert (entry.n, entry.method) == (before + 1, "getWebhookInfo")
    assert TOKEN not in json.dumps([entry.model_dump() for entry in world.log()])


def test_hostile_bodies_get_an_answer(world: WorldClient) -> None:
    http = Http(world.url)
    hostile = [b"", b"null", b"[" * 100_000, b"\xff\xfe", b'{"text": "\\ud800", "chat_id": {"a": []}}']
    urls = [
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"https://graph.facebook.com/v26.0/{NUMBER}/messages",
        f"https://hooks.slack.com{HOOK}",
    ]
    headers = {"content-type": "application/json", "authorization": "Bearer wa-token"}
    statuses = [
        http.request("POST", url, body=body, headers=headers).status for url in urls for body in hostile
    ]
    assert set(statuses) <= {200, 400}
    assert len(world.log()) == len(statuses)


# --- Between runs ------------------------------------------------------------------------------------


def test_a_restarted_world_knows_its_phones(desk: Desk, tmp_path: Path) -> None:
    with World(state_dir=tmp_path) as first:
        client = first.client()
        client.setup(set_up(desk))
        client.clock(5_000)
        said = client.say("telegram", "Salve")
        slack_post(client, {"text": "\ud800 mezzo"})
        client.close()
    with World(state_dir=tmp_path) as second:
        client = second.client()
        assert [item.text for item in client.phone("telegram")] == ["Salve"]
        assert bot_call(client, "sendMessage", chat_id=said.address, text="Eccoci").status == 200
        assert client.redeliver(said.id).statuses == (200,)
        assert abs(int(client.health()["now"]) - time.time() * 1000 - 5_000) < 2_000
        client.reset()
        assert (client.phone("telegram"), client.slack(), client.log()) == ([], {}, [])
        assert client.say("telegram", "Di nuovo").status == 200
        client.close()
    assert desk.telegram()[-1]["update_id"] == desk.telegram()[0]["update_id"] + 1


def test_an_unreadable_state_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"phones": ')
    with World(state_dir=tmp_path) as world:
        client = world.client()
        assert client.log() == []
        client.close()
    assert (tmp_path / "world.unreadable").read_text() == '{"phones": '


def test_the_command_prints_its_url_and_ends_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.world", "--port", "0", "--state", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        client = WorldClient(running.stdout.readline().strip())
        assert client.health()["ok"] is True
        client.setup(Setup(slack=(HOOK,)))
        client.close()
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=10) == 0
    assert HOOK in (tmp_path / "world.json").read_text()


def test_options_not_named_stay(world: WorldClient) -> None:
    assert Options().retries == (0.3, 1.0, 3.0)
    options(world, receipts="read")
    options(world, telegram_burst=5)
    address = world.say("whatsapp", "Salve").address
    graph(world, text_to(address))
    world.settle()
    assert world.phone("whatsapp")[-1].status == "read"
