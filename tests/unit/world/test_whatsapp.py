"""WhatsApp's stand-in signs, refuses, shows and reports as the Cloud API does."""

import json
from typing import Any

import pytest

from infra.world.client import WorldClient
from sportello.channels.signatures import equal, hmac_sha256_hex
from sportello.domain.model import HOUR
from tests.unit.world.calls import (
    APP_SECRET,
    Desk,
    code_of,
    graph,
    interactive,
    list_rows,
    options,
    reply_buttons,
    text_to,
)


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
