"""Files on the real template: copied after the acknowledgement, deleted with their message, sent."""

from typing import Any

import pytest

from sportello.services import reply
from tests.e2e.stage import Customer, Stage, stays, wait_for

MORNING = "2026-12-03 10:00"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
CHANNELS = pytest.mark.parametrize("channel", ["whatsapp", "telegram", "messenger"])


def copies(stage: Stage, thread: str) -> list[str]:
    s3, bucket = stage.desk.deployed.client("s3"), stage.desk.deployed.outputs["BucketName"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix=f"media/{thread}/").get("Contents", ())
    return [entry["Key"] for entry in found]


def content(stage: Stage, key: str) -> bytes:
    s3, bucket = stage.desk.deployed.client("s3"), stage.desk.deployed.outputs["BucketName"]
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def newest(customer: Customer) -> Any:
    return customer.rows()[-1].media[0]


@pytest.fixture
def morning(stage: Stage) -> Stage:
    stage.at(MORNING)
    return stage


def with_photo(stage: Stage, channel: str) -> Customer:
    customer = stage.customer(channel)
    customer.say("Guardate qui", kind="media", media="photo")
    return customer


@CHANNELS
def test_a_photo_is_copied_and_typed_by_its_content(morning: Stage, channel: str) -> None:
    customer = with_photo(morning, channel)
    wait_for(lambda: bool(newest(customer).at), "a copy", state=lambda: str(customer.rows()))
    copy = newest(customer)
    assert copy.mime.startswith("image/")
    assert len(content(morning, copy.at)) == copy.size > 0
    assert copy.url == ""
    assert customer.rows()[-1].due is None


@pytest.mark.parametrize("channel", ["whatsapp", "messenger"])
def test_what_the_customer_deletes_is_deleted_here(morning: Stage, channel: str) -> None:
    customer = with_photo(morning, channel)
    thread = customer.thread.id
    wait_for(lambda: bool(copies(morning, thread)), "a copy")
    customer.say(kind="delete")
    wait_for(lambda: not copies(morning, thread), "no copy any more")
    assert customer.rows()[0].deleted
    assert customer.rows()[0].media == ()


@CHANNELS
def test_a_file_goes_out_with_a_reply(morning: Stage, channel: str) -> None:
    customer = morning.customer(channel)
    customer.say("Mi mandate la foto?")
    row = customer.answer("Eccola.", file=reply.File("foto.png", PNG))
    customer.row_ends(row.key, "sent")
    shown = [item for item in customer.phone() if item.direction == "out"]
    assert any(item.kind in ("image", "photo") for item in shown), shown
    assert any(item.text == "Eccola." for item in shown), shown


def test_a_kick_that_was_lost_costs_only_time(morning: Stage) -> None:
    """The row itself wants its file: the sweeper asks for it again."""
    customer = with_photo(morning, "telegram")
    wait_for(lambda: bool(newest(customer).at), "a copy")
    thread, key = customer.thread.id, customer.rows()[-1].key
    table = morning.desk.deployed.client("dynamodb")
    table.update_item(
        TableName=morning.desk.deployed.outputs["TableName"],
        Key={"PK": {"S": f"T#{thread}"}, "SK": {"S": key}},
        UpdateExpression="SET due = :past, due_shard = :shard REMOVE media[0].#at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":past": {"N": "1"}, ":shard": {"S": f"m{ord(thread[-1]) % 4}"}},
    )
    assert morning.sweep()["kicked_files"] >= 1
    wait_for(lambda: bool(newest(customer).at), "the copy again")


def test_what_no_channel_takes_is_refused_before_anything_is_written(morning: Stage) -> None:
    customer = morning.customer("whatsapp")
    customer.say("Mi mandate la foto?")
    with pytest.raises(reply.NotAllowed, match="media"):
        customer.answer("Eccola.", file=reply.File("foto.bmp", b"BM" + bytes(100)))
    stays(lambda: customer.outbox() == [], "nothing is written")
