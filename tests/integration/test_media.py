"""Files: fetched after the acknowledgement, kept with a pointer, gone with their message."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.aws.outbox import Address
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import Connection, Download, MediaGone, MediaLater, MediaRule, Profile
from sportello.channels.http import Http, NoAnswer
from sportello.domain.events import Customer, Delete, Kind, Media
from sportello.domain.keys import THREAD_ROW
from sportello.domain.model import HOUR, MINUTE
from sportello.services import reply
from sportello.services.media import TRIES, Fetcher, take, type_of
from tests.integration.stage import (
    ACCOUNT,
    CONNECTION,
    ONE,
    OPEN,
    Scripted,
    Stage,
    change_row,
    heard,
    inbound,
    kicks,
    objects,
    only_row,
    only_thread,
    outbox,
    overdue,
    read_object,
    real_now,
    thread_id,
)

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(200)
PDF = b"%PDF-1.7\n" + bytes(50)


class Host:
    """A platform's file server, as the local world is one."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = host.files.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class WithFiles(Scripted):
    media_hosts: ClassVar[tuple[str, ...]] = ("cdn.example.com", ".files.example.com")
    profiles: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self.headers: dict[str, str] = {}
        self.told: Profile | None = Profile(name="Customer One of the platform")

    def download(self, media: Media, connection: Connection, http: Http) -> Download:
        if self.trouble is not None:
            raise self.trouble
        return Download(url=media.url or f"https://cdn.example.com/{media.id}", headers=self.headers)

    def profile(self, address: str, connection: Connection, http: Http) -> Profile | None:
        if self.trouble is not None:
            raise self.trouble
        return self.told


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.stop()


@pytest.fixture
def channel(stage: Stage) -> WithFiles:
    stage.channel = WithFiles()
    return stage.channel


def fetcher(stage: Stage, host: Host) -> Fetcher:
    return Fetcher(
        channels=lambda _: stage.channel,
        connection=lambda _, __: CONNECTION,
        http=Http(),
        languages=stage.desk.languages,
        rewrite=host.url,
    )


def photo(stage: Stage, *media: Media, id: str = "m1") -> dict[str, Any]:
    files = media or (Media(kind="image", id="photo-1", mime="image/jpeg"),)
    stage.take(inbound("", id=id, kind=Kind.MEDIA, media=files))
    return heard()[-1]


def work(stage: Stage, host: Host, row: dict[str, Any]) -> str:
    return take(fetcher(stage, host), Address(row["PK"][2:], row["SK"]))


def serve(host: Host, name: str, body: bytes, mime: str = "image/jpeg", at: str = "cdn.example.com") -> None:
    host.files[f"/{at}/{name}"] = (200, {"content-type": mime}, body)


def test_a_connection_that_was_taken_away_is_waited_for_and_given_up(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    def gone(*_: str) -> Connection:
        raise UnknownConnection("main")

    row = photo(stage)
    without = replace(fetcher(stage, host), connection=gone)
    address = Address(row["PK"][2:], row["SK"])
    assert take(without, address) == "later"
    change_row(row, attempt=TRIES)
    assert take(without, address) == "kept"
    assert heard()[0]["media"][0]["problem"] == "unavailable"
    stage.take(inbound(customer=Customer(id="9", address="9")))
    assert take(without, Address(thread_id("9"), THREAD_ROW)) == "no_name"


# --- fetched --------------------------------------------------------------------------------------


def test_a_file_is_asked_for_in_the_commit_and_kept_with_a_pointer(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    row = photo(stage)
    assert row["due_shard"].startswith("m")
    assert (row["PK"][2:], row["SK"]) in kicks("media")
    serve(host, "photo-1", JPEG)
    assert work(stage, host, row) == "kept"
    (done,) = heard()
    (media,) = done["media"]
    assert not {"due", "due_shard"} & done.keys()
    assert (media["mime"], media["size"]) == ("image/jpeg", len(JPEG))
    assert read_object(media["at"]) == JPEG
    assert media["at"].startswith(f"media/{row['PK'][2:]}/")
    head = clients.s3().head_object(Bucket=environment().bucket, Key=media["at"])
    assert head["ContentDisposition"] == "attachment"


def test_a_text_asks_for_nothing(stage: Stage, channel: WithFiles) -> None:
    stage.take(inbound("Only words", customer=ONE))
    assert [key for _, key in kicks("media") if key != "T"] == []
    assert "due" not in heard()[0]


def test_what_the_platform_forbids_to_keep_is_not_fetched(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    row = photo(stage, Media(kind="image", id="story", url="https://cdn.example.com/story", keep=False))
    assert "due" not in row
    assert [key for _, key in kicks("media") if key != "T"] == []
    assert work(stage, host, row) == "nothing_to_do"
    assert host.asked == []
    assert objects("media/") == []


def test_a_redelivery_asks_again_for_what_is_missing(stage: Stage, channel: WithFiles) -> None:
    row = photo(stage)
    kicks("media")
    photo(stage)
    assert (row["PK"][2:], row["SK"]) in kicks("media")


def test_what_is_fetched_already_is_not_fetched_again(stage: Stage, channel: WithFiles, host: Host) -> None:
    row = photo(stage)
    serve(host, "photo-1", JPEG)
    work(stage, host, row)
    assert work(stage, host, row) == "nothing_to_do"
    assert len(host.asked) == 1


def test_each_file_of_a_message_has_its_copy_or_its_reason(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    elsewhere = Media(kind="image", id="3", url="https://elsewhere.example.net/x")
    row = photo(stage, Media(kind="image", id="1"), Media(kind="document", id="2"), elsewhere)
    serve(host, "1", JPEG)
    assert work(stage, host, row) == "kept"
    one, two, three = heard()[0]["media"]
    assert one["at"]
    assert (two["problem"], three["problem"]) == ("gone", "host")
    assert "url" not in three, "an address at a platform is not kept"


def test_credentials_do_not_follow_to_another_host(stage: Stage, channel: WithFiles, host: Host) -> None:
    channel.headers = {"authorization": "Bearer secret"}
    host.files["/cdn.example.com/photo-1"] = (302, {"location": "https://a.files.example.com/x"}, b"")
    serve(host, "x", JPEG, at="a.files.example.com")
    assert work(stage, host, photo(stage)) == "kept"
    (_, first), (_, second) = host.asked
    assert first["authorization"] == "Bearer secret"
    assert "authorization" not in second


def test_a_redirect_to_a_strange_host_is_not_followed(stage: Stage, channel: WithFiles, host: Host) -> None:
    host.files["/cdn.example.com/photo-1"] = (302, {"location": "http://169.254.169.254/latest"}, b"")
    work(stage, host, photo(stage))
    assert heard()[0]["media"][0]["problem"] == "address"
    assert len(host.asked) == 1


# --- not now, never ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [MediaLater("busy"), NoAnswer("ReadTimeoutError")])
def test_what_cannot_be_had_now_is_tried_again_later_and_later(
    stage: Stage, channel: WithFiles, host: Host, trouble: Exception
) -> None:
    channel.trouble = trouble
    row = photo(stage)
    assert work(stage, host, row) == "later"
    first = heard()[0]["due"]
    assert real_now() < first <= real_now() + MINUTE
    change_row(heard()[0], attempt=5)
    work(stage, host, row)
    assert heard()[0]["due"] > real_now() + 30 * MINUTE
    change_row(heard()[0], attempt=20)
    work(stage, host, row)
    assert heard()[0]["due"] <= real_now() + HOUR
    channel.trouble = None
    serve(host, "photo-1", JPEG)
    assert work(stage, host, row) == "kept"


def test_after_a_day_the_reason_is_noted(stage: Stage, channel: WithFiles, host: Host) -> None:
    channel.trouble = MediaLater("busy")
    row = photo(stage)
    change_row(row, attempt=TRIES)
    assert work(stage, host, row) == "kept"
    assert heard()[0]["media"][0]["problem"] == "unavailable"
    assert "due" not in heard()[0]


def test_what_is_gone_says_so_at_once(stage: Stage, channel: WithFiles, host: Host) -> None:
    channel.trouble = MediaGone("expired")
    assert work(stage, host, photo(stage)) == "kept"
    assert heard()[0]["media"][0]["problem"] == "expired"


def test_the_sweeper_asks_again_when_a_kick_was_lost(stage: Stage, channel: WithFiles) -> None:
    row = photo(stage)
    kicks("media")
    overdue(row)
    swept = stage.sweep()
    assert swept.counts["kicked_files"] == 1
    assert kicks("media") == [(row["PK"][2:], row["SK"])]
    assert heard()[0]["due"] > real_now()
    assert stage.sweep().counts["kicked_files"] == 0


# --- deleted ----------------------------------------------------------------------------------------


def delete(stage: Stage, id: str = "m1") -> None:
    stage.take(Delete(account=ACCOUNT, customer=ONE, originals=(id,), time=OPEN + MINUTE))


def test_a_deleted_message_takes_its_copies_along(stage: Stage, channel: WithFiles, host: Host) -> None:
    row = photo(stage)
    serve(host, "photo-1", JPEG)
    work(stage, host, row)
    assert len(objects("media/")) == 1
    kicks("media")
    delete(stage)
    assert (row["PK"][2:], row["SK"]) in kicks("media")
    assert heard()[0]["due_shard"].startswith("m"), "the sweeper asks too, should the kick be lost"
    assert work(stage, host, row) == "deleted"
    assert objects("media/") == []
    assert "due" not in heard()[0]


def test_a_message_deleted_while_its_file_is_fetched_leaves_no_copy(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    row = photo(stage)
    serve(host, "photo-1", JPEG)
    ask = channel.download

    def deleted_meanwhile(media: Media, connection: Connection, http: Http) -> Download:
        delete(stage)
        return ask(media, connection, http)

    channel.download = deleted_meanwhile  # type: ignore[method-assign]
    assert work(stage, host, row) == "deleted"
    assert objects("media/") == []


def test_deleting_words_alone_asks_the_media_worker_nothing(stage: Stage, channel: WithFiles) -> None:
    stage.take(inbound("Words"))
    kicks("media")
    delete(stage)
    assert kicks("media") == []


# --- types ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "declared", "expected"),
    [
        (JPEG, "image/png", "image/jpeg"),
        (PDF, "image/jpeg", "application/pdf"),
        (b"<html><script>alert(1)</script></html>", "image/jpeg", "application/octet-stream"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "image/svg+xml", "application/octet-stream"),
        (b"OggS\x00\x02" + bytes(60), "audio/ogg; codecs=opus", "audio/ogg"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(40), "audio/mp4", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(40), "text/html", "video/mp4"),
        (b"just words", "image/jpeg", "text/plain"),
        (b"\x00\x01\x02\x03\xfe\xff rest", "image/heic", "image/heic"),
        (b"\x00\x01\x02\x03\xfe\xff rest", "text/html", "application/octet-stream"),
        (b"", "", "text/plain"),
    ],
)
def test_the_type_is_told_by_content(body: bytes, declared: str, expected: str) -> None:
    assert type_of(body, declared) == expected


# --- names ------------------------------------------------------------------------------------------

NAMELESS = ONE.model_copy(update={"name": ""})


def test_a_name_is_asked_for_once_per_debt_and_kept(stage: Stage, channel: WithFiles, host: Host) -> None:
    stage.take(inbound("Who am I?", customer=NAMELESS))
    stage.take(inbound("Hello?", id="m2", customer=NAMELESS))
    assert kicks("media") == [(thread_id(), "T")]
    assert take(fetcher(stage, host), Address(thread_id(), "T")) == "named"
    assert only_thread()["name"] == "Customer One of the platform"
    assert take(fetcher(stage, host), Address(thread_id(), "T")) == "nothing_to_do"


def test_a_name_that_came_with_the_message_is_not_asked_for(stage: Stage, channel: WithFiles) -> None:
    stage.take(inbound("Hello"))
    assert kicks("media") == []


@pytest.mark.parametrize("trouble", [None, NoAnswer("x")])
def test_without_a_name_nothing_breaks(
    stage: Stage, channel: WithFiles, host: Host, trouble: Exception | None
) -> None:
    channel.told, channel.trouble = None, trouble
    stage.take(inbound("Hello", customer=NAMELESS))
    assert take(fetcher(stage, host), Address(thread_id(), "T")) == "no_name"
    assert "name" not in only_thread()


def test_a_language_is_taken_where_nobody_knows_it(stage: Stage, channel: WithFiles, host: Host) -> None:
    channel.told = Profile(language="en")
    stage.take(inbound("?", customer=NAMELESS))
    before = only_thread()["rev"]
    assert take(fetcher(stage, host), Address(thread_id(), "T")) == "no_name"
    assert (only_thread()["language"], only_thread()["rev"]) == ("en", before + 1)
    channel.told = Profile(language="it")
    take(fetcher(stage, host), Address(thread_id(), "T"))
    assert only_thread()["language"] == "en"


def test_a_language_that_the_desk_does_not_speak_is_not_taken(
    stage: Stage, channel: WithFiles, host: Host
) -> None:
    channel.told = Profile(language="zh")
    stage.take(inbound("?", customer=NAMELESS))
    take(fetcher(stage, host), Address(thread_id(), "T"))
    assert "language" not in only_thread()


# --- files on their way out ---------------------------------------------------------------------------


class TakesImages(WithFiles):
    media: ClassVar[Mapping[str, MediaRule]] = {"image": MediaRule(limit=1000, mimes=("image/jpeg",))}


def answer_with(stage: Stage, content: bytes) -> dict[str, Any]:
    stage.take(inbound("Send me the picture"))
    reply.reply(stage.person(), thread_id(), "Here", file=reply.File("photo.jpg", content))
    return only_row()


def test_a_file_goes_out_by_its_address(stage: Stage) -> None:
    stage.channel = TakesImages()
    row = answer_with(stage, JPEG)
    assert stage.send(row) == "sent"
    (message,) = stage.channel.asked
    file = message.attachment
    assert file is not None
    assert (file.kind, file.mime, file.name, file.size) == ("image", "image/jpeg", "photo.jpg", len(JPEG))
    assert file.url.startswith("http")
    assert file.content == b""
    assert read_object(row["media"][0]["at"]) == JPEG
    assert file.url.partition("?")[0].endswith(".jpg"), "some platforms judge an address by its end"


def test_a_channel_that_uploads_gets_the_content(stage: Stage) -> None:
    class Uploads(TakesImages):
        uploads: ClassVar[bool] = True

    stage.channel = Uploads()
    stage.send(answer_with(stage, JPEG))
    (message,) = stage.channel.asked
    assert message.attachment is not None
    assert (message.attachment.content, message.attachment.url) == (JPEG, "")


def test_a_file_that_is_gone_fails_the_reply_and_the_debt_returns(stage: Stage) -> None:
    class Uploads(TakesImages):
        uploads: ClassVar[bool] = True

    stage.channel = Uploads()
    row = answer_with(stage, JPEG)
    clients.s3().delete_object(Bucket=environment().bucket, Key=row["media"][0]["at"])
    assert stage.send(row) == "failed_media"
    assert stage.channel.asked == []
    assert "owed_since" in only_thread()


@pytest.mark.parametrize("content", [PDF, JPEG + bytes(1000)])
def test_what_the_channel_does_not_take_is_refused_before_anything_is_written(
    stage: Stage, content: bytes
) -> None:
    stage.channel = TakesImages()
    with pytest.raises(reply.NotAllowed, match="media"):
        answer_with(stage, content)
    assert outbox() == []


def test_the_address_of_a_file_is_in_no_log(stage: Stage, log: Any) -> None:
    stage.channel = TakesImages()
    stage.send(answer_with(stage, JPEG))
    assert "Signature" not in log.getvalue()
