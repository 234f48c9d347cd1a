"""Files of ours: uploaded as the platforms want them, and seen on the phone."""

import hashlib

import pytest

from infra.world.client import WorldClient
from sportello.channels.http import Answer, Http, multipart
from tests.unit.world.calls import NUMBER, TOKEN, code_of, described, graph, text_to

JPEG = b"\xff\xd8\xff" + bytes(1000)


def form_post(
    world: WorldClient,
    url: str,
    fields: dict[str, str],
    field: str,
    content: bytes = JPEG,
    mime: str = "image/jpeg",
    **headers: str,
) -> Answer:
    body, kind = multipart(fields, name=field, file_name="photo.jpg", content=content, mime=mime)
    return Http(world.url, read_seconds=5).request(
        "POST", url, body=body, headers=headers | {"content-type": kind}
    )


def send_photo(world: WorldClient, chat: str, content: bytes = JPEG, **fields: str) -> Answer:
    url = f"https://api.telegram.org/bot{TOKEN}/sendPhoto"
    return form_post(world, url, {"chat_id": chat} | fields, "photo", content)


def upload(world: WorldClient, content: bytes = JPEG, mime: str = "image/jpeg", **fields: str) -> Answer:
    url = f"https://graph.facebook.com/v26.0/{NUMBER}/media"
    given = {"messaging_product": "whatsapp", "type": mime} | fields
    return form_post(world, url, given, "file", content, mime, authorization="Bearer wa-token")


def test_telegram_shows_a_photo_with_its_caption(world: WorldClient) -> None:
    chat = world.say("telegram", "Salve").address
    answer = send_photo(world, chat, caption="Ecco")
    assert answer.json["result"]["caption"] == "Ecco"
    shown = world.phone("telegram")[-1]
    assert shown.file is not None
    assert (shown.kind, shown.text, shown.file.mime) == ("photo", "Ecco", "image/jpeg")
    assert shown.file.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert "1003 bytes of image/jpeg" in str(world.log()[-1].request)


def test_telegram_refuses_files(world: WorldClient) -> None:
    chat = world.say("telegram", "Salve").address
    assert described(send_photo(world, chat, b"")) == (400, "Bad Request: file must be non-empty")
    assert send_photo(world, chat, bytes(10_000_001)).status == 413
    too_long = send_photo(world, chat, caption="x" * 1025)
    assert described(too_long) == (400, "Bad Request: message caption is too long")
    assert send_photo(world, "1").status == 400
    assert len(world.phone("telegram")) == 1


def test_whatsapp_takes_an_upload_and_shows_it_where_a_message_names_it(world: WorldClient) -> None:
    address = world.say("whatsapp", "Salve").address
    file_id = upload(world).json["id"]
    image = {"type": "image", "image": {"id": file_id, "caption": "Ecco"}}
    assert graph(world, text_to(address) | image).status == 200
    shown = world.phone("whatsapp")[-1]
    assert shown.file is not None
    assert (shown.kind, shown.text, shown.file.size) == ("image", "Ecco", len(JPEG))
    nothing = {"type": "image", "image": {"id": "99"}}
    assert code_of(graph(world, text_to(address) | nothing)) == (400, 100)


@pytest.mark.parametrize(
    ("content", "mime", "code"),
    [(bytes(5_000_001), "image/jpeg", 131053), (b"", "image/jpeg", 100), (b"x", "image/tiff", 100)],
)
def test_whatsapp_refuses_uploads(world: WorldClient, content: bytes, mime: str, code: int) -> None:
    assert code_of(upload(world, content, mime)) == (400, code)
