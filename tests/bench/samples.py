"""The events that are measured: the sample webhooks, their clock set to the measured hour."""

import json
from dataclasses import replace
from typing import Any

from tests.bench.programs.child import CLOSED, OPEN
from tests.contract.samples import Sample, all_samples, function_url_event, wire_bytes
from tests.contract.signing import sign

__all__ = ["CLOSED", "OPEN", "secrets", "telegram_text", "webchat_text", "whatsapp_text"]

ORDINARY = "Potete aiutarmi con la lampada del salotto?"
"""Asks for an answer, calls nobody, and is no frequent question."""
CHANNELS = ("telegram", "whatsapp", "webchat")


def telegram_text(
    moment: int, *, chat: int = 1_000_000_001, number: int = 101, secret: str = ""
) -> dict[str, Any]:
    """A private text as a function URL event; ``secret``: of another connection than the samples'."""
    sample = _sample("telegram")
    body = json.loads(sample.request.body)
    message = body["message"]
    body["update_id"] = chat * 1000 + number
    message |= {"message_id": number, "date": moment // 1000, "text": ORDINARY}
    message["from"]["id"] = message["chat"]["id"] = chat
    headers = {**sample.request.headers} | ({sample.signature_header: secret} if secret else {})
    request = replace(sample.request, body=wire_bytes(body), headers=headers)
    return function_url_event(request, base64_body=False)


def whatsapp_text() -> dict[str, Any]:
    """The sample with the ordinary text, signed anew."""
    sample = _sample("whatsapp")
    body = json.loads(sample.request.body)
    body["entry"][0]["changes"][0]["value"]["messages"][0]["text"]["body"] = ORDINARY
    return _signed(sample, body)


def webchat_text() -> dict[str, Any]:
    """The sample with the ordinary text; its token is good for many years."""
    sample = _sample("webchat")
    return _signed(sample, json.loads(sample.request.body) | {"text": ORDINARY})


def _signed(sample: Sample, body: Any) -> dict[str, Any]:
    request = replace(sample.request, body=wire_bytes(body))
    return function_url_event(sign(sample.channel, sample.connection, request), base64_body=False)


def secrets(stack: str = "sportello") -> dict[str, str]:
    """What SSM holds of the samples' connections, by parameter name."""
    return {f"/{stack}/{name}/main": _secret(_sample(name)) for name in CHANNELS}


def _sample(channel: str) -> Sample:
    return next(sample for sample in all_samples(channel) if sample.name == "text")


def _secret(sample: Sample) -> str:
    fields = sample.connection.model_dump(mode="json", exclude={"name"})
    return json.dumps(fields)
