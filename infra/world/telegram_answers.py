"""The form of the Bot API's requests and answers: core.telegram.org/bots/api#making-requests."""

import json
from typing import Any

from infra.world.wire import Answer, Call, json_answer


def success(result: Any, *, description: str = "", id: str = "") -> Answer:
    value = {"ok": True, "result": result} | ({"description": description} if description else {})
    return json_answer(200, value, id=id)


def refusal(status: int, description: str, parameters: dict[str, Any] | None = None) -> Answer:
    value: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        value["parameters"] = parameters
    return json_answer(status, value, code=str(status))


def too_many(seconds: int) -> Answer:
    text = f"Too Many Requests: retry after {seconds}"
    return refusal(429, text, parameters={"retry_after": seconds})


def fields_of(call: Call) -> dict[str, Any]:
    """Parameters as Telegram takes them: query, form or JSON body, nested values also as JSON text."""
    fields: dict[str, Any] = dict(call.query)
    if "json" in call.headers.get("content-type", ""):
        fields |= call.json or {}
    elif call.parts:
        fields |= {name: part if part.filename else part.text for name, part in call.parts.items()}
    else:
        fields |= call.form
    for name in ("reply_markup", "reply_parameters", "allowed_updates", "entities"):
        if isinstance(fields.get(name), str):
            try:
                fields[name] = json.loads(fields[name])
            except ValueError:
                fields[name] = {"unreadable": True}
    return fields
