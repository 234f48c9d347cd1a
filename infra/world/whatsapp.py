"""WhatsApp's Cloud API as the desk calls it: developers.facebook.com/docs/whatsapp/cloud-api."""

import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import urllib3

from infra.world.faults import Fault
from infra.world.files import digest_hex, file_bytes
from infra.world.model import Webhook, WhatsAppNumber
from infra.world.platform import StandIn
from infra.world.state import State
from infra.world.whatsapp_messages import LATER, Messages
from infra.world.whatsapp_rules import GraphError
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
        number = self.state.numbers.get(match.group(1)) if match else None
        comes_later = code in LATER and self._messages.errors_come_later()
        if number is not None and (fault.kind == "failed_later" or comes_later):
            with self.state.lock:
                return self._messages.fail_later(number, call.json or {}, error)
        answer = error.answer()
        if fault.kind != "429":
            return answer
        headers = {"Retry-After": str(fault.retry_after)}
        return Answer(answer.status, answer.body, code=answer.code, headers=headers)

    def _answer(self, call: Call) -> Answer:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        with self.state.lock:
            numbers = [number for number in self.state.numbers.values() if token and number.token == token]
        if not numbers:
            raise GraphError(190, "Invalid OAuth access token - Cannot parse access token")
        if call.host == "lookaside.fbsbx.com":
            return Answer(200, file_bytes(call.path.rpartition("/")[2]), "application/octet-stream")
        match = PATH.fullmatch(call.path)
        if match is None:
            raise GraphError(100, f"Unsupported {call.method.lower()} request.")
        subject, edge = match.group(1), match.group(2) or ""
        if edge == "subscribed_apps":
            return self._subscribed_apps(call, subject, numbers)
        number = next((number for number in numbers if number.phone_number_id == subject), None)
        if edge == "messages" and call.method == "POST" and number is not None:
            with self.state.lock:
                return self._messages.take(number, call.json)
        if not edge and call.method == "GET":
            return self._object(call, subject, number)
        raise GraphError(100, _missing(call, subject), subcode=33)

    # --- numbers, accounts, files --------------------------------------------------------------

    def _object(self, call: Call, subject: str, number: WhatsAppNumber | None) -> Answer:
        if number is not None:
            every = {
                "id": number.phone_number_id,
                "display_phone_number": number.display_phone_number,
                "verified_name": number.verified_name,
                "quality_rating": "GREEN",
                "code_verification_status": "VERIFIED",
                "platform_type": "CLOUD_API",
            }
            wanted = [name for name in call.query.get("fields", "").split(",") if name] or every
            return json_answer(200, {name: every[name] for name in ("id", *wanted) if name in every})
        if subject.isdigit() and int(subject) >= 1_000_000_000_000_001:
            return json_answer(200, _file_object(subject))
        raise GraphError(100, _missing(call, subject), subcode=33)

    def _subscribed_apps(self, call: Call, waba: str, numbers: list[WhatsAppNumber]) -> Answer:
        ours = [number for number in numbers if number.waba_id == waba]
        if not ours:
            raise GraphError(100, _missing(call, waba), subcode=33)
        if call.method == "GET":
            app = {"whatsapp_business_api_data": {"id": "1000000000000001", "name": "Service desk"}}
            return json_answer(200, {"data": [app] if ours[0].subscribed else []})
        body = call.json or call.form
        update: dict[str, Any] = {"subscribed": call.method == "POST"}
        callback = str(body.get("override_callback_uri") or "")
        if callback:
            if not ours[0].subscribed:
                raise GraphError(100, "Before override the current callback uri, your app must be subscribed")
            verify_callback(callback, str(body.get("verify_token", "")))
            update["webhook_url"] = callback
        with self.state.lock:
            for number in ours:
                self.state.numbers[number.account] = number.model_copy(update=update)
            self.state.changed = True
        return json_answer(200, {"success": True})


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


def _file_object(file_id: str) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "url": f"https://lookaside.fbsbx.com/whatsapp_business/attachments/{file_id}",
        "mime_type": "application/octet-stream",
        "sha256": digest_hex(file_id),
        "file_size": len(file_bytes(file_id)),
        "id": file_id,
    }


def _missing(call: Call, subject: str) -> str:
    return (
        f"Unsupported {call.method.lower()} request. Object with ID '{subject}' does not exist, cannot be"
        " loaded due to missing permissions, or does not support this operation"
    )
