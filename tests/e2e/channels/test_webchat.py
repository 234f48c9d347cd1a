"""The chat on the site: what only it does, on the real template with a browser's stand-in."""

import json

import pytest
import urllib3
from typer.testing import CliRunner

from infra.cli import place, work
from infra.cli.app import app
from infra.world.model import Entry
from infra.world.webchat import LOCAL_SITE
from sportello.domain.outbound import Button
from sportello.services import onward
from tests.e2e.stage import Customer, Stage, post, wait_for

MORNING = "2026-12-10 10:00"
ASKED = "Dov'è il mio pacco?"


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who is logged in at the company and owed an answer, on a morning."""
    stage.at(MORNING)
    customer = stage.customer("webchat")
    customer.say(ASKED)
    return customer


def pushes(customer: Customer) -> list[Entry]:
    address = customer.thread.to
    return [entry for entry in customer.stage.log() if entry.method == "push" and entry.address == address]


def test_the_company_s_back_end_hears_of_each_answer_and_believes_it(customer: Customer) -> None:
    row = customer.answer("Arriva domani.")
    sent = customer.row_ends(row.key, "sent")
    (push,) = pushes(customer)
    assert push.status == 204
    assert push.request["customer"] == customer.thread.to.removeprefix("u:")
    assert push.request["message"] == {
        "id": sent.id,
        "author": "person",
        "text": "Arriva domani.",
        "files": 0,
    }
    assert customer.phone()[-1].id == sent.id


def test_a_back_end_that_fails_keeps_no_answer_back(customer: Customer) -> None:
    customer.stage.desk.client.fault("webchat", "500", method="push", match=customer.name)
    row = customer.answer("Arriva domani.")
    customer.row_ends(row.key, "sent")
    assert customer.hears(1)[-1] == "Arriva domani."
    assert [push.status for push in pushes(customer)] == [500]


def test_a_file_of_a_visitor_and_a_tap_on_a_button(customer: Customer) -> None:
    customer.say("Ecco la ricevuta", kind="media", media="document")
    (media,) = customer.rows()[-1].media
    assert media.at.startswith(f"media/{customer.thread.id}/")
    assert (media.mime, media.size) == ("application/pdf", 28)
    customer.answer("Va bene domani?", buttons=(Button(id="yes", title="Sì"),))
    customer.hears(1)
    customer.say(kind="button", button="Sì")
    assert customer.rows()[-1].payload == "yes"


def test_an_anonymous_visitor_is_another_one(stage: Stage) -> None:
    stage.at(MORNING)
    customer = stage.customer("webchat")
    first, second = f"Chi sono? {customer.name}", f"{ASKED} {customer.name}"
    customer.say(first, more={"anonymous": "yes"})
    customer.say(second)
    rows = stage.scan()
    found = {id for id, messages in rows.messages.items() for row in messages if row.text in (first, second)}
    kinds = {rows.threads[id].to[:2] for id in found}
    assert kinds == {"a:", "u:"}


def test_an_answer_follows_by_mail_and_the_mail_s_answer_comes_back(customer: Customer) -> None:
    """The visitor has left an address and gone; minutes later the conversation lies in their mailbox."""
    stage, thread = customer.stage, customer.thread
    person = stage.desk.world.state.person(customer.name)
    address = stage.desk.world.channels["email"].address(person)
    token = stage.desk.world.state.talk("webchat", LOCAL_SITE.id, thread.to).more["token"]  # type: ignore[union-attr]
    url = stage.desk.accounts["webchat"].webhook_url.replace("/main", "/contact/main")
    status, _ = post(url, b'{"email": "%s"}' % address.encode(), {"authorization": f"Bearer {token}"})
    assert status == 200

    row = customer.answer("Arriva domani.")
    customer.row_ends(row.key, "sent")
    planned = f"{row.key}~{onward.KIND}"
    assert next(found for found in customer.outbox() if found.key == planned).state == "pending"
    stage.rows_come_due(thread.id)
    stage.sweep()
    customer.row_ends(planned, "sent")

    wait_for(lambda: address in stage.desk.client.mail(), "a letter")
    (letter,) = stage.desk.client.mail()[address]
    assert letter.text.index(ASKED) < letter.text.index("Arriva domani.")

    said = stage.desk.client.say("email", "Grazie, e la ricevuta?", customer.name)
    assert set(said.statuses) == {200}
    wait_for(lambda: customer.rows()[-1].text == "Grazie, e la ricevuta?", "it comes into the same thread")
    assert customer.thread.owes
    assert [found.id for found in stage.scan().threads.values() if found.to == address] == []


def test_a_second_site_is_connected_by_the_command_line(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = stage.desk.home
    monkeypatch.setattr(work, "find", lambda stack, region: place.find(stack, region, home))
    monkeypatch.setattr("infra.cli.doctor.channel_names", lambda: ["webchat"])
    url = stage.desk.accounts["webchat"].webhook_url.removesuffix("/main")
    try:
        refused = CliRunner().invoke(app, ("connect", "webchat", "--name", "shop", "--set", "origins=shop"))
        assert refused.exit_code != 0
        connected = CliRunner().invoke(
            app, ("connect", "webchat", "--name", "shop", "--set", "origins=https://shop.example.com")
        )
        assert connected.exit_code == 0, connected.output
        line = f'<script async src="{url}/widget/shop.js"></script>'
        assert line in connected.output.replace("\n", "")
        status, script = get(f"{url}/widget/shop.js")
        assert (status, script[:2]) == (200, b"/*")
        told = CliRunner().invoke(app, ("doctor", "--json"))
        assert told.stdout, (told.output, told.exception)
        examined = json.loads(told.stdout)
        assert [entry["findings"] for entry in examined["connections"] if entry["connection"] == "shop"] == [
            []
        ]
    finally:
        stage.use()


def get(url: str) -> tuple[int, bytes]:
    answer = urllib3.request("GET", url, retries=False)
    return answer.status, answer.data
