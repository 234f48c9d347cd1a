"""Slack's and SES's stand-ins take only what they would take."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.world.client import WorldClient
from sportello.channels.http import Http
from tests.unit.world.calls import HOOK, options, simple, slack_post


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
