"""Whatever arrives at our address: the right status, nothing lost, nothing unhandled, nothing told."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local_desk import CONNECTION
from infra.world.model import ChannelName, Webhook
from infra.world.telegram_bot import LOCAL_BOT as TELEGRAM
from infra.world.whatsapp_number import LOCAL_NUMBER as WHATSAPP
from sportello.domain.model import DAY
from tests.e2e.invariants import assert_opaque
from tests.e2e.stage import CHANNELS, Customer, Stage, post

CANARY = "segretissimo-canarino"
HEADER = {"whatsapp": "x-hub-signature-256", "telegram": "x-telegram-bot-api-secret-token"}
JSON = "application/json"


@pytest.fixture(autouse=True)
def nothing_unhandled(stage: Stage) -> Iterator[None]:
    """Every test here also asserts: no function failed, and no log holds what was sent."""
    stage.at("2026-12-07 10:00")
    stage.canaries.add(CANARY)
    yield
    lines = [line for found in stage.function_logs().values() for line in found]
    failed = [
        line for line in lines if "Traceback" in line or "errorType" in line or "Task timed out" in line
    ]
    assert not failed, failed


def address(stage: Stage, channel: ChannelName, connection: str = CONNECTION) -> str:
    urls = stage.desk.deployed.outputs
    return f"{urls['WhatsAppUrl' if channel == 'whatsapp' else 'TelegramUrl']}/{connection}"


def signed(channel: ChannelName, body: bytes) -> dict[str, str]:
    if channel == "telegram":
        return {HEADER[channel]: TELEGRAM.secret}
    digest = hmac.new(WHATSAPP.app_secret.encode(), body, hashlib.sha256).hexdigest()
    return {HEADER[channel]: f"sha256={digest}"}


def send(stage: Stage, channel: ChannelName, body: bytes, content_type: str = JSON) -> int:
    """A body that the platform has signed. As JSON the engine lets only UTF-8 through as it is."""
    headers = signed(channel, body) | {"content-type": content_type}
    return post(address(stage, channel), body, headers)[0]


def written(customer: Customer, text: str = f"Dov'è il mio {CANARY}?", **more: Any) -> Webhook:
    said = customer.stage.desk.client.say(customer.channel, text, customer.name, deliver=False, **more)
    assert said.request is not None
    return said.request


def is_quarantined(stage: Stage, channel: ChannelName, body: bytes) -> bool:
    """The very bytes lie in the bucket."""
    key = f"quarantine/{channel}/{hashlib.sha256(body).hexdigest()}"
    s3 = stage.desk.deployed.client("s3")
    bucket = stage.desk.deployed.outputs["BucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
    return bool(found) and s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "wrong",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=00",
        "ségnatüre".encode(),
        b"\xff\xfe\x80",
        "x" * 5000,
    ],
    ids=["missing", "empty", "wrong", "no-digest", "zeros", "sha1", "latin", "bytes", "long"],
)
def test_what_the_platform_has_not_signed_is_401(
    stage: Stage, channel: ChannelName, signature: str | bytes | None
) -> None:
    customer = stage.customer(channel)
    webhook = written(customer)
    headers: dict[str, Any] = {"content-type": JSON}
    if signature is not None:
        headers[HEADER[channel]] = signature
    status, body = post(webhook.url, webhook.body.encode(), headers)
    assert (status, body) == (401, b"")
    assert customer.name not in {thread.name for thread in stage.scan().threads.values()}


@pytest.mark.parametrize("channel", ["whatsapp"])
def test_a_body_changed_after_signing_is_401(stage: Stage, channel: ChannelName) -> None:
    webhook = written(stage.customer(channel))
    assert post(webhook.url, webhook.body.encode() + b" ", webhook.headers)[0] == 401


def nested(opening: str, closing: str) -> bytes:
    return f'{{"{CANARY}": {opening * 100_000}1{closing * 100_000}}}'.encode()


UNREADABLE = {
    "empty": b"",
    "words": f"dov'è {CANARY}?".encode(),
    "bytes": b"\xff\xfe\x00\x80" + CANARY.encode(),
    "half": f'{{"text": "{CANARY}"'.encode(),
    "list": f'["{CANARY}"]'.encode(),
    "string": f'"{CANARY}"'.encode(),
    "null": b"null",
    "nan": f'{{"{CANARY}": NaN}}'.encode(),
    "infinity": f'{{"{CANARY}": -Infinity}}'.encode(),
    "digits": f'{{"{CANARY}": {"9" * 5_000}}}'.encode(),
    "deep-lists": nested("[", "]"),
    "deep-objects": nested('{"a":', "}"),
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_kept_and_acknowledged(
    stage: Stage, channel: ChannelName, body: bytes
) -> None:
    assert send(stage, channel, body, "application/octet-stream" if b"\xff" in body else JSON) == 200
    assert is_quarantined(stage, channel, body)


@pytest.mark.parametrize("channel", CHANNELS)
def test_three_megabytes_and_more_are_kept_as_they_are(stage: Stage, channel: ChannelName) -> None:
    body = json.dumps({CANARY: "x" * 3_100_000}).encode()
    assert send(stage, channel, body) == 200
    assert is_quarantined(stage, channel, body)


@pytest.mark.parametrize("channel", CHANNELS)
def test_six_megabytes_are_refused_or_kept(stage: Stage, channel: ChannelName) -> None:
    """AWS itself refuses more than 6 MB with 413; the engine lets it through to us."""
    body = json.dumps({CANARY: "x" * 6_000_000}).encode()
    assert send(stage, channel, body) == 200
    assert is_quarantined(stage, channel, body)


def change(webhook: Webhook, how: Callable[[dict[str, Any]], None]) -> bytes:
    body = json.loads(webhook.body)
    how(body)
    return json.dumps(body).encode()


def message_in(body: dict[str, Any]) -> dict[str, Any]:
    found = body["message"] if "message" in body else body["entry"][0]["changes"][0]["value"]["messages"][0]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "", "ñ/ö"]
)
def test_the_content_type_does_not_matter(stage: Stage, channel: ChannelName, content_type: str) -> None:
    customer = stage.customer(channel)
    assert (
        send(stage, channel, written(customer).body.encode(), content_type.encode().decode("latin-1")) == 200
    )
    assert len(customer.rows()) == 1


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("encoded", [False, True])
def test_base64_or_not(stage: Stage, channel: ChannelName, encoded: bool) -> None:
    customer = stage.customer(channel)
    webhook = written(customer)
    assert (
        invoke(
            stage,
            webhook,
            base64.b64encode(webhook.body.encode()).decode() if encoded else webhook.body,
            encoded,
        )
        == 200
    )
    assert len(customer.rows()) == 1


@pytest.mark.parametrize("channel", ["whatsapp"])
@pytest.mark.parametrize("body", ["%%%", "abc", "é"])
def test_broken_base64_is_not_signed(stage: Stage, channel: ChannelName, body: str) -> None:
    assert invoke(stage, written(stage.customer(channel)), body, True) == 401


def invoke(stage: Stage, webhook: Webhook, body: str, encoded: bool) -> int:
    """Past the engine's own encoding, straight to the function."""
    event = {
        "version": "2.0",
        "rawPath": f"/{CONNECTION}",
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in webhook.headers.items()},
        "requestContext": {"http": {"method": "POST"}},
        "body": body,
        "isBase64Encoded": encoded,
    }
    function = "WhatsAppFunction" if webhook.channel == "whatsapp" else "TelegramFunction"
    return int(stage.invoke(function, event)["statusCode"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_half_a_surrogate_pair_is_stored(stage: Stage, channel: ChannelName) -> None:
    customer = stage.customer(channel)
    body = written(customer, "Ciao BROKEN, dov'è?").body.replace("BROKEN", "\\ud83d").encode()
    assert send(stage, channel, body) == 200
    (row,) = customer.rows()
    assert re.fullmatch("Ciao [?\N{REPLACEMENT CHARACTER}], dov'è\\?", row.text)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_unknown_kind_is_stored_with_all_that_came(stage: Stage, channel: ChannelName) -> None:
    customer = stage.customer(channel)

    def unknown(body: dict[str, Any]) -> None:
        message = message_in(body)
        message.pop("text")
        message["type"] = "hologram"
        message["hologram"] = {"words": CANARY}

    assert send(stage, channel, change(written(customer), unknown)) == 200
    row = customer.rows()[0]
    assert row.kind == "unsupported"
    assert row.fragment is not None
    assert row.fragment["hologram"] == {"words": CANARY}
    assert customer.thread.owes
    assert [why.why for why in customer.calls()[0].whys] == ["unreadable"]


def test_an_unknown_update_of_telegram_is_not_dropped(stage: Stage) -> None:
    token = "telepathy-of-somebody"
    body = {"update_id": 5, "telepathy": {"from": {"id": 77, "first_name": CANARY}, "what": token}}
    assert send(stage, "telegram", json.dumps(body).encode()) == 200
    assert is_kept(stage, "telegram", token)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_with_fields_of_other_types_is_not_lost(stage: Stage, channel: ChannelName) -> None:
    token = f"twisted-{channel}"

    def twisted(body: dict[str, Any]) -> None:
        message_in(body)["text"] = {"body": [token]} if channel == "whatsapp" else [token]

    assert send(stage, channel, change(written(stage.customer(channel)), twisted)) == 200
    assert is_kept(stage, channel, token)


def is_kept(stage: Stage, channel: ChannelName, token: str) -> bool:
    """In quarantine or in the table, whole or as the part that could not be read."""
    bucket = stage.desk.deployed.outputs["BucketName"]
    s3 = stage.desk.deployed.client("s3")
    objects = s3.list_objects_v2(Bucket=bucket, Prefix=f"quarantine/{channel}/").get("Contents", [])
    bodies = [s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in objects]
    return any(token.encode() in body for body in bodies) or token in json.dumps(stage.items())


def test_an_account_that_is_not_ours_is_kept_apart(stage: Stage) -> None:
    customer = stage.customer("whatsapp")

    def elsewhere(body: dict[str, Any]) -> None:
        body["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = "999000999000999"

    body = change(written(customer), elsewhere)
    assert send(stage, "whatsapp", body) == 200
    assert is_quarantined(stage, "whatsapp", body)
    assert customer.name not in {thread.name for thread in stage.scan().threads.values()}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("days", [-20_000, -400, 3, 4_000])
def test_a_clock_that_is_far_off_loses_nothing(stage: Stage, channel: ChannelName, days: int) -> None:
    now = stage.at("2026-12-07 10:00")
    customer = stage.customer(channel)
    webhook = written(customer, at=max(now + days * DAY, 1000))
    assert stage.deliver(webhook) == 200
    assert stage.deliver(webhook) == 200
    (row,) = customer.rows()
    assert CANARY in row.text
    assert customer.thread.owes
    owed_since = customer.thread.owed_since
    assert owed_since is not None
    assert owed_since <= now + 60_000


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_connection_that_does_not_exist_is_404(stage: Stage, channel: ChannelName) -> None:
    webhook = written(stage.customer(channel))
    for connection in ("nobody", "", "%00", "../main/x", "é"):
        status, _ = post(address(stage, channel, connection), webhook.body.encode(), webhook.headers)
        assert status == 404, connection


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("secret", ["", "not json", "[]", '{"secrets": "x", "surplus": 1}'], ids=list("abcd"))
def test_a_secret_that_cannot_be_read_is_503_and_hurts_nobody_else(
    stage: Stage, channel: ChannelName, secret: str
) -> None:
    name = f"broken-{CHANNELS.index(channel)}"
    customer = stage.customer(channel)
    webhook = written(customer)
    ssm = stage.desk.deployed.client("ssm")
    path = f"/{stage.desk.deployed.stack}/{channel}/{name}"
    ssm.put_parameter(Name=path, Value=secret or " ", Type="SecureString", Overwrite=True)
    forget_secrets(stage, channel)
    try:
        status, body = post(address(stage, channel, name), webhook.body.encode(), webhook.headers)
        assert (status, body) == (503, b"")
        assert stage.deliver(webhook) == 200
        assert len(customer.rows()) == 1
    finally:
        ssm.delete_parameter(Name=path)
        forget_secrets(stage, channel)


def forget_secrets(stage: Stage, channel: ChannelName) -> None:
    """A new version of the function: its processes start anew and read the secrets."""
    function = stage.functions["WhatsAppFunction" if channel == "whatsapp" else "TelegramFunction"]
    client = stage.desk.deployed.client("lambda")
    variables = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    variables["GENERATION"] = str(int(variables.get("GENERATION", "0")) + 1)
    client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})


def test_no_customer_and_no_secret_is_in_any_log(stage: Stage) -> None:
    assert_opaque(stage)
