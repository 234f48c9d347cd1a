"""WhatsApp's Cloud API as the desk calls it: developers.facebook.com/docs/whatsapp/cloud-api."""

import hmac
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import urllib3

from infra.world.faults import Fault
from infra.world.model import Person, Say, Webhook
from infra.world.platform import StandIn
from infra.world.state import State
from infra.world.whatsapp_files import file_object, take_upload
from infra.world.whatsapp_messages import LATER, Messages
from infra.world.whatsapp_number import LOCAL_NUMBER, WhatsAppNumber
from infra.world.whatsapp_rules import GraphError
from infra.world.whatsapp_webhooks import build
from infra.world.wire import Answer, Call, Target, json_answer

PATH = re.compile(r"/v[0-9]+\.[0-9]+/([^/]+)(?:/([a-z_]+))?")
FAULT_CODES = {
    "429": 130429, "500": 131000, "503": 131016, "token_expired": 190, "permission": 10,
    "window_closed": 131047, "blocked": 131026, "unknown_recipient": 131026, "pair_rate": 131056,
    "spam": 131048, "locked": 131031,
}  # fmt: skip


class WhatsApp(StandIn):
    name = "whatsapp"
    hosts = ("graph.facebook.com", "lookaside.fbsbx.com")
    faults = frozenset(FAULT_CODES) | {"error", "failed_later"}

    def __init__(self, state: State, post: Callable[[Webhook, float], None]) -> None:
        super().__init__(state, post)
        self._messages = Messages(state, post)

    account_model = WhatsAppNumber

    def local_account(self) -> WhatsAppNumber:
        return LOCAL_NUMBER

    def local_connection(self, account: WhatsAppNumber) -> dict[str, Any]:
        return {
            "secrets": [account.app_secret],
            "token": account.token,
            "accounts": [{"id": account.id, "role": "care"}],
            "settings": {"verify_token": "local-desk-verify", "waba_id": account.waba_id},
        }

    def address(self, person: Person) -> str:
        return person.wa_id

    def say(self, say: Say) -> tuple[Webhook | None, str]:
        return build(self.state, say)

    def claims(self, call: Call) -> bool:
        """Other channels of Meta answer at the same hosts: this one knows its numbers and tokens."""
        numbers: tuple[WhatsAppNumber, ...] = self.state.accounts_of("whatsapp")
        match = PATH.fullmatch(call.path)
        subject = match.group(1) if match else ""
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        return any(subject in (number.id, number.waba_id) or token == number.token for number in numbers)

    def target(self, call: Call) -> Target:
        match = PATH.fullmatch(call.path)
        if match is None:
            return Target("unknown")
        method = match.group(2) or "object"
        body = call.json or {}
        address = str(body.get("to") or body.get("recipient") or "")
        sends = method == "messages" and body.get("status") != "read"
        return Target(method, self.state.address("whatsapp", address), sends)

    def answer(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except GraphError as error:
            return error.answer()

    def fail(self, call: Call, fault: Fault) -> Answer:
        code = FAULT_CODES.get(fault.kind) or int(fault.code or "131000")
        error = GraphError(code)
        match = PATH.fullmatch(call.path)
        number = self._number(match.group(1)) if match else None
        comes_later = code in LATER and self._messages.errors_come_later()
        if number is not None and (fault.kind == "failed_later" or comes_later):
            with self.state.lock:
                return self._messages.fail_later(number, call.json or {}, error)
        answer = error.answer()
        if fault.kind != "429":
            return answer
        headers = {"Retry-After": str(fault.retry_after)}
        return Answer(answer.status, answer.body, code=answer.code, headers=headers)

    def _number(self, id: str) -> WhatsAppNumber | None:
        numbers: tuple[WhatsAppNumber, ...] = self.state.accounts_of("whatsapp")
        return next((number for number in numbers if number.id == id), None)

    def _answer(self, call: Call) -> Answer:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        with self.state.lock:
            numbers = [
                number for number in self.state.accounts_of("whatsapp") if token and number.token == token
            ]
        if not numbers:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
        check_proof(call, token, numbers)
        match = PATH.fullmatch(call.path)
        if match is None:
            raise GraphError(100, f"Unsupported {call.method.lower()} request.")
        subject, edge = match.group(1), match.group(2) or ""
        if edge == "subscribed_apps":
            return self._subscribed_apps(call, subject, numbers)
        number = next((number for number in numbers if number.id == subject), None)
        if edge == "messages" and call.method == "POST" and number is not None:
            with self.state.lock:
                return self._messages.take(number, call.json)
        if edge == "media" and call.method == "POST" and number is not None:
            return take_upload(self.state, call.parts)
        if not edge and call.method == "GET":
            return self._object(call, subject, number)
        raise GraphError(100, _missing(call, subject), subcode=33)

    # --- numbers, accounts, files --------------------------------------------------------------

    def _object(self, call: Call, subject: str, number: WhatsAppNumber | None) -> Answer:
        if number is not None:
            every = {
                "id": number.id,
                "display_phone_number": number.display_phone_number,
                "verified_name": number.verified_name,
                "quality_rating": "GREEN",
                "code_verification_status": "VERIFIED",
                "platform_type": "CLOUD_API",
            }
            wanted = [name for name in call.query.get("fields", "").split(",") if name] or every
            return json_answer(200, {name: every[name] for name in ("id", *wanted) if name in every})
        file = file_object(self.state, subject)
        if file is not None:
            return json_answer(200, file)
        raise GraphError(100, _missing(call, subject), subcode=33)

    def _subscribed_apps(self, call: Call, waba: str, numbers: list[WhatsAppNumber]) -> Answer:
        ours = [number for number in numbers if number.waba_id == waba]
        if not ours:
            raise GraphError(100, _missing(call, waba), subcode=33)
        if call.method == "GET":
            app: dict[str, Any] = {
                "whatsapp_business_api_data": {"id": "1000000000000001", "name": "Service desk"}
            }
            if ours[0].override:
                app["override_callback_uri"] = ours[0].override
            return json_answer(200, {"data": [app] if ours[0].subscribed else []})
        body = call.json or call.form
        update: dict[str, Any] = {"subscribed": call.method == "POST"}
        callback = str(body.get("override_callback_uri") or "")
        if callback:
            if not ours[0].subscribed:
                raise GraphError(100, "Before override the current callback uri, your app must be subscribed")
            verify_callback(callback, str(body.get("verify_token", "")))
            update |= {"webhook_url": callback, "override": callback}
        with self.state.lock:
            for number in ours:
                self.state.keep_account("whatsapp", number.model_copy(update=update))
        return json_answer(200, {"success": True})


def check_proof(call: Call, token: str, numbers: list[WhatsAppNumber]) -> None:
    """``appsecret_proof`` may come with any call, and is checked wherever it does."""
    given = call.query.get("appsecret_proof")
    proofs = {hmac.new(n.app_secret.encode(), token.encode(), "sha256").hexdigest() for n in numbers}
    if given is not None and given not in proofs:
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument")


def verify_callback(url: str, verify_token: str) -> None:
    """Meta's handshake: our endpoint proves itself by returning the challenge."""
    challenge = str(uuid.uuid4().int)[:10]
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        answer = urllib3.request("GET", f"{url}?{urlencode(query)}", timeout=10, retries=False)
    except urllib3.exceptions.HTTPError:
        raise GraphError(2200, "Callback verification failed: no answer") from None
    if answer.status != 200 or answer.data.decode("utf-8", "replace") != challenge:
        raise GraphError(2200, f"Callback verification failed: HTTP Status Code = {answer.status}")


def _missing(call: Call, subject: str) -> str:
    return (
        f"Unsupported {call.method.lower()} request. Object with ID '{subject}' does not exist, cannot be"
        " loaded due to missing permissions, or does not support this operation"
    )
