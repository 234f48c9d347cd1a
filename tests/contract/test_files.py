"""Files of Telegram and WhatsApp: where a customer's is, and what is uploaded when the desk sends one."""

import email
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from sportello.channels.base import (
    Account,
    Attachment,
    Channel,
    Connection,
    MediaGone,
    MediaLater,
    NotSent,
    Outbound,
    Problem,
    Sent,
    Unknown,
)
from sportello.channels.telegram import Telegram
from sportello.channels.whatsapp import WhatsApp
from sportello.domain.events import Media
from tests.contract.http_stub import Call, Stub, serving

TOKEN = "7000000001:CANARY-token"
CONNECTION = Connection(name="main", secrets=("s",), token=TOKEN, accounts=(Account(id="7000000001"),))
TELEGRAM, WHATSAPP = Telegram(), WhatsApp()
JPEG = b"\xff\xd8\xff\xe0 a photo"
PHOTO = Attachment(kind="image", mime="image/jpeg", name="photo.jpg", size=len(JPEG), content=JPEG)
NUMBER = "100000000000001"


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def parts(call: Call) -> dict[str, Message]:
    """A multipart form, by the names of its fields."""
    head = f"content-type: {call.headers['content-type']}\r\n\r\n".encode()
    whole = email.message_from_bytes(head + call.body)
    found: dict[str, Message] = {}
    for part in whole.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            found[name] = part
    return found


def text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


# --- Telegram ---------------------------------------------------------------------------------------


def telegram(to: str = "1000000001", words: str = "Here", file: Attachment = PHOTO) -> Outbound:
    return Outbound(account="7000000001", to=to, text=words, attachment=file)


def test_telegram_says_where_a_file_is(stub: Stub) -> None:
    stub.will_answer(200, {"ok": True, "result": {"file_id": "f", "file_path": "photos/file 1.jpg"}})
    found = TELEGRAM.download(Media(kind="image", id="f"), CONNECTION, stub.http())
    assert found.url == f"https://api.telegram.org/file/bot{TOKEN}/photos/file%201.jpg"
    assert TOKEN not in repr(found)
    (call,) = stub.calls
    assert call.path == f"/api.telegram.org/bot{TOKEN}/getFile"
    assert call.json == {"file_id": "f"}


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (400, {"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}, MediaGone),
        (200, {"ok": True, "result": {"file_id": "f"}}, MediaGone),
        (
            429,
            {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 5"},
            MediaLater,
        ),
        (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, MediaLater),
        (502, b"", MediaLater),
    ],
)
def test_telegram_does_not_say(stub: Stub, status: int, content: Any, expected: type[Exception]) -> None:
    stub.will_answer(status, content)
    with pytest.raises(expected) as refused:
        TELEGRAM.download(Media(kind="image", id="f"), CONNECTION, stub.http())
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "mime", "method", "field"),
    [
        ("image", "image/jpeg", "sendPhoto", "photo"),
        ("video", "video/mp4", "sendVideo", "video"),
        ("audio", "audio/mpeg", "sendAudio", "audio"),
        ("voice", "audio/ogg", "sendVoice", "voice"),
        ("document", "application/pdf", "sendDocument", "document"),
    ],
)
def test_telegram_is_sent_a_file_in_a_form(stub: Stub, kind: Any, mime: str, method: str, field: str) -> None:
    stub.will_answer(200, {"ok": True, "result": {"message_id": 7}})
    file = PHOTO.model_copy(update={"kind": kind, "mime": mime, "name": "a.bin"})
    assert TELEGRAM.refusal(telegram(file=file), 0, 0) is None
    assert TELEGRAM.send(telegram(file=file), CONNECTION, stub.http()) == Sent(id="1000000001:7")
    (call,) = stub.calls
    assert call.path == f"/api.telegram.org/bot{TOKEN}/{method}"
    form = parts(call)
    assert (text(form["chat_id"]), text(form["caption"])) == ("1000000001", "Here")
    assert form[field].get_payload(decode=True) == JPEG
    assert (form[field].get_content_type(), form[field].get_filename()) == (mime, "a.bin")


def test_telegrams_limits_of_files_are_known_before_sending() -> None:
    large = PHOTO.model_copy(update={"size": 10_000_001})
    bitmap = PHOTO.model_copy(update={"mime": "image/bmp"})
    assert TELEGRAM.refusal(telegram(file=large), 0, 0) is Problem.MEDIA
    assert TELEGRAM.refusal(telegram(file=bitmap), 0, 0) is Problem.MEDIA
    assert TELEGRAM.refusal(telegram(words="x" * 1025), 0, 0) is Problem.TOO_LONG
    assert TELEGRAM.refusal(telegram(words="x" * 1024), 0, 0) is None
    assert TELEGRAM.refusal(telegram(words=""), 0, 0) is None


# --- WhatsApp -----------------------------------------------------------------------------------------


def whatsapp(words: str = "Here", file: Attachment = PHOTO) -> Outbound:
    return Outbound(account=NUMBER, to="+15550100201", text=words, attachment=file, tag="t")


def test_whatsapp_says_where_a_file_is(stub: Stub) -> None:
    url = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1"
    stub.will_answer(200, {"url": url, "mime_type": "image/jpeg", "id": "1"})
    found = WHATSAPP.download(Media(kind="image", id="1"), CONNECTION, stub.http())
    assert found.url == url
    assert found.headers == {"authorization": f"Bearer {TOKEN}"}
    assert TOKEN not in repr(found)
    (call,) = stub.calls
    assert (call.method, call.path.partition("?")[0]) == ("GET", "/graph.facebook.com/v26.0/1")


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (400, {"error": {"code": 100, "error_subcode": 33}}, MediaGone),
        (401, {"error": {"code": 190}}, MediaLater),
        (500, {"error": {"code": 2}}, MediaLater),
        (502, b"", MediaLater),
        (200, {}, MediaLater),
    ],
)
def test_whatsapp_does_not_say(stub: Stub, status: int, content: Any, expected: type[Exception]) -> None:
    stub.will_answer(status, content)
    with pytest.raises(expected):
        WHATSAPP.download(Media(kind="image", id="1"), CONNECTION, stub.http())


@pytest.mark.parametrize(
    ("kind", "mime", "expected"),
    [
        ("image", "image/jpeg", {"type": "image", "image": {"id": "m-1", "caption": "Here"}}),
        ("video", "video/mp4", {"type": "video", "video": {"id": "m-1", "caption": "Here"}}),
        ("audio", "audio/mpeg", {"type": "audio", "audio": {"id": "m-1"}}),
        ("voice", "audio/ogg", {"type": "audio", "audio": {"id": "m-1"}}),
        (
            "document",
            "application/pdf",
            {"type": "document", "document": {"id": "m-1", "caption": "Here", "filename": "photo.jpg"}},
        ),
    ],
)
def test_whatsapp_is_uploaded_a_file_and_then_sent_its_id(
    stub: Stub, kind: Any, mime: str, expected: dict[str, Any]
) -> None:
    stub.will_answer(200, {"id": "m-1"})
    stub.will_answer(200, {"messages": [{"id": "wamid.9"}]})
    file = PHOTO.model_copy(update={"kind": kind, "mime": mime})
    assert WHATSAPP.send(whatsapp(file=file), CONNECTION, stub.http()) == Sent(id="wamid.9")
    upload, message = stub.calls
    assert upload.path.partition("?")[0] == f"/graph.facebook.com/v26.0/{NUMBER}/media"
    form = parts(upload)
    assert (text(form["messaging_product"]), text(form["type"])) == ("whatsapp", mime)
    assert form["file"].get_payload(decode=True) == JPEG
    sent = message.json
    assert {name: sent[name] for name in expected} == expected
    assert sent["biz_opaque_callback_data"] == "t"


@pytest.mark.parametrize(
    ("status", "content", "problem"),
    [
        (401, {"error": {"code": 190}}, Problem.RECONNECT),
        (400, {"error": {"code": 131053}}, Problem.REFUSED),
        (502, b"", Problem.TEMPORARY),
        (200, {}, Problem.TEMPORARY),
    ],
)
def test_an_upload_that_fails_has_sent_nobody_anything(
    stub: Stub, status: int, content: Any, problem: Problem
) -> None:
    stub.will_answer(status, content)
    outcome = WHATSAPP.send(whatsapp(), CONNECTION, stub.http())
    assert isinstance(outcome, NotSent)
    assert outcome.problem is problem
    assert len(stub.calls) == 1


def test_the_message_behind_an_upload_may_end_unknown(stub: Stub) -> None:
    stub.will_answer(200, {"id": "m-1"})
    stub.will_answer(502, b"")
    assert isinstance(WHATSAPP.send(whatsapp(), CONNECTION, stub.http()), Unknown)


@pytest.mark.parametrize("kind", ["audio", "voice"])
def test_words_that_whatsapp_cannot_carry_with_sound_are_refused(kind: Any) -> None:
    sound = PHOTO.model_copy(update={"kind": kind, "mime": "audio/ogg"})
    message = whatsapp(file=sound)
    assert WHATSAPP.refusal(message, 0, 1) is Problem.TOO_LONG
    assert WHATSAPP.refusal(message.model_copy(update={"text": ""}), 0, 1) is None


@pytest.mark.parametrize("channel", [TELEGRAM, WHATSAPP])
def test_what_is_declared_is_whole(channel: Channel) -> None:
    assert set(channel.media) == {"image", "video", "audio", "voice", "document"}
    assert channel.uploads
    assert channel.media_hosts
