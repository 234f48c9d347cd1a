"""Our side of the wire: a function that keeps what reaches it, and calls as the desk makes them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.world.client import WorldClient
from infra.world.model import OptionsChange, Setup
from infra.world.telegram_bot import TelegramBot, TelegramBusiness
from infra.world.whatsapp_number import TemplateForm, WhatsAppNumber
from sportello.channels.http import Answer, Http

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


def set_up(desk: Desk) -> Setup:
    business = TelegramBusiness(id="bc-1", owner_id=42)
    bot = TelegramBot(
        token=TOKEN,
        id="110001",
        username="desk_bot",
        webhook_url=f"{desk.url}/telegram",
        secret=SECRET,
        business=(business,),
    )
    form = TemplateForm(name="hello", language="it", body="Ciao {{1}}", buttons=("Va bene",))
    number = WhatsAppNumber(
        id=NUMBER,
        waba_id="300001",
        token="wa-token",
        display_phone_number="15550100000",
        app_secret=APP_SECRET,
        webhook_url=f"{desk.url}/whatsapp",
        templates=(form,),
    )
    return Setup(accounts=(bot.at("telegram"), number.at("whatsapp")), slack=(HOOK,))


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


def simple(subject: str = "Chiede aiuto") -> dict[str, Any]:
    return {"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": "Testo"}}}}
