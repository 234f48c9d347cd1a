"""The chat on the site, from its function's events to what a visitor reads."""

import base64
import gzip
import json
import time
import uuid
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

import sportello.webchat as function
from sportello import entrypoints
from sportello.aws import clients, secrets
from sportello.aws import visits as rows
from sportello.aws.environment import environment
from sportello.channels.webchat import WebChat, visitor_of
from sportello.channels.webchat_tokens import Visitor, visitor_token
from sportello.domain.model import DAY, HOUR, MINUTE, SECOND
from sportello.services import conversation, visits
from sportello.services.reply import Person, claim, reply
from sportello.services.send import Sender, send
from tests.integration.site import CONNECTION, ORIGIN, SECRET, Browser, Handler, Lambda, jwt
from tests.integration.stage import (
    CLOSED,
    Stage,
    address_of,
    everything,
    heard,
    only_thread,
    outbox,
    scan,
    threads,
)

CHANNEL = WebChat()


class SiteStage(Stage):
    """The desk's side, on the channel of the site."""

    handler: Handler

    def person(self, by: str = "Agent") -> Person:
        return Person(by=by, desk=self.desk, channels=lambda _: CHANNEL, now=lambda: self.now)

    def answer(self, text: str, thread: str = "") -> None:
        """A person of the desk answers, and the sender sends it."""
        self.now += SECOND
        reply(self.person(), thread or only_thread()["PK"][2:], text)
        self.send_all()
        self.now += SECOND

    def send_all(self) -> list[str]:
        return [send(self.sender(), address_of(row)) for row in outbox() if row["state"] == "pending"]

    def sender(self) -> Sender:
        connection = secrets._connection("webchat", "main", json.dumps(CONNECTION))
        return replace(super().sender(), channels=lambda _: CHANNEL, connection=lambda *_: connection)

    def browser(self, **more: str) -> Browser:
        return Browser(self.handler, **more)


@pytest.fixture
def desk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> SiteStage:
    """The function, at the stage's clock."""
    texts = {"main": json.dumps(CONNECTION)}
    monkeypatch.setattr(secrets, "read_secrets", lambda channel: texts if channel == "webchat" else {})
    here = SiteStage(desk=stage.desk, texts=stage.texts)
    monkeypatch.setattr(entrypoints, "now", lambda: here.now)
    here.use()
    here.handler = function.site()
    return here


@pytest.fixture
def visitor(desk: SiteStage) -> Browser:
    browser = desk.browser()
    browser.open(language="it-IT")
    return browser


# --- a conversation -------------------------------------------------------------------------------


def test_a_visitor_writes_and_reads_the_answer(desk: SiteStage, visitor: Browser) -> None:
    id = visitor.write("Where is my order?")
    desk.answer("On its way.")

    mine, answer = visitor.read()
    assert (mine["id"], mine["from"], mine["text"]) == (id, "visitor", "Where is my order?")
    assert (answer["from"], answer["author"], answer["text"]) == ("desk", "person", "On its way.")
    assert only_thread().get("owed_since") is None


def test_when_closed_the_hours_come_at_once_and_are_shown_before_a_word_is_said(desk: SiteStage) -> None:
    desk.now = CLOSED
    visitor = desk.browser()
    opened = visitor.open(language="en")
    assert opened["desk"]["open"] is False
    assert opened["desk"]["next_opening_words"] == "tomorrow at 9:00"
    assert opened["desk"]["next_opening"] == "2026-11-24T08:00:00Z".replace("Z", ".000Z")
    assert opened["desk"]["hours"] == "Mon–Fri 9:00–13:00, 14:00–18:00"

    visitor.write("Is anybody there?")
    assert desk.send_all() == ["sent"]
    answer = visitor.read()[-1]
    assert answer["author"] == "automatic"
    assert "tomorrow at 9:00" in answer["text"]


@pytest.mark.parametrize(("asked", "given"), [("it-IT", "it"), ("en", "en"), ("fr-FR", "it"), ("", "it")])
def test_the_widget_speaks_a_language_of_the_desk(desk: SiteStage, asked: str, given: str) -> None:
    opened = desk.browser().open(language=asked)
    assert opened["language"] == given
    assert opened["texts"]["send"] == {"it": "Invia", "en": "Send"}[given]


def test_opening_the_widget_leaves_nothing_behind(desk: SiteStage) -> None:
    browser = desk.browser()
    browser.open()
    browser.open()
    assert browser.read() == []
    assert scan() == []


def test_a_message_sent_twice_stands_once(desk: SiteStage, visitor: Browser) -> None:
    id = visitor.write("Hello")
    assert visitor.write("Hello", id=id) == id
    assert len(heard()) == 1


def test_another_message_under_the_same_id_is_refused(desk: SiteStage, visitor: Browser) -> None:
    id = visitor.write("Hello")
    refused = visitor.ask("POST", "messages", {"client_message_id": id, "text": "Something else"})
    assert (refused.status, refused.body["error"]) == (409, "other_message")
    assert [row["text"] for row in heard()] == ["Hello"]


def test_the_same_id_of_two_visitors_is_two_messages(desk: SiteStage, visitor: Browser) -> None:
    id = visitor.write("Mine")
    other = desk.browser()
    other.open()
    other.write("Theirs", id=id)
    assert visitor.texts() == ["Mine"]
    assert other.texts() == ["Theirs"]


def test_a_tap_on_a_button(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("", button={"id": "yes", "title": "Yes, thanks"})
    (row,) = heard()
    assert (row["kind"], row["payload"], row["text"]) == ("button", "yes", "Yes, thanks")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"text": ""}, "text: empty, and no file"),
        ({"text": "x" * 4001}, "text: over 4000 characters"),
        ({"text": 1}, "text: not a text"),
        ({"text": "x", "client_message_id": "short"}, "client_message_id: 16 to 64 of A-Z a-z 0-9 _ -"),
        ({"text": "x", "files": ["f1.x.y"]}, "files: not a file of this visitor"),
        ({"text": "x", "files": ["x"] * 6}, "files: a list of up to 5"),
        ({"text": "x", "button": "x"}, "button: an object"),
        ({"text": "x", "colour": "red"}, "unknown field; known: button, client_message_id, files, text"),
    ],
)
def test_a_wrong_field_is_named(
    desk: SiteStage, visitor: Browser, fields: dict[str, Any], detail: str
) -> None:
    body = {"client_message_id": str(uuid.uuid4()), **fields}
    refused = visitor.ask("POST", "messages", body)
    assert (refused.status, refused.body) == (422, {"error": "wrong_field", "detail": detail})
    assert scan() == []


@pytest.mark.parametrize("body", ["", "[]", "nothing", '{"client_message_id"', "[" * 200])
def test_a_body_that_is_no_object(desk: SiteStage, visitor: Browser, body: str) -> None:
    assert visitor.ask("POST", "messages", body).status == 422


def test_a_huge_body_is_not_read(desk: SiteStage, visitor: Browser) -> None:
    assert visitor.ask("POST", "messages", "x" * 70_000).status == 413
    assert scan() == []


def test_words_are_kept_as_they_are_and_never_logged(
    desk: SiteStage, visitor: Browser, log: StringIO
) -> None:
    visitor.write("<b>secret words</b> & more")
    assert visitor.texts() == ["<b>secret words</b> & more"]
    assert "secret words" not in log.getvalue()
    (line,) = log.getvalue().splitlines()
    assert json.loads(line)["stored"] == 1
    assert len(line) < 350


# --- asking for what is new -----------------------------------------------------------------------


def test_a_poll_brings_what_is_new_and_then_nothing(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    assert len(visitor.poll()) == 1
    assert visitor.poll() == []
    desk.answer("Good morning")
    assert [message["text"] for message in visitor.poll()][-1] == "Good morning"
    assert visitor.poll() == []


def test_an_answer_that_is_not_yet_sent_is_not_shown(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    desk.now += SECOND
    reply(desk.person(), only_thread()["PK"][2:], "Coming")
    assert visitor.texts() == ["Hello"]
    desk.send_all()
    assert visitor.texts() == ["Hello", "Coming"]


def test_what_people_do_among_themselves_is_not_shown(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    claim(desk.person(), only_thread()["PK"][2:])
    assert visitor.texts() == ["Hello"]


def test_a_message_whose_key_is_old_is_not_missed(desk: SiteStage, visitor: Browser) -> None:
    """``on it`` stands at the beginning of the debt, however much later it is said."""
    desk.with_policy(on_it_after=30 * MINUTE, escalate_after=2 * HOUR)
    desk.use()
    visitor.write("Hello")
    visitor.poll()
    for _ in range(3):
        desk.now += 9 * MINUTE
        visitor.write("Still there?")
        visitor.poll()
    desk.now += 9 * MINUTE
    desk.sweep()
    assert "sent" in desk.send_all()
    desk.answer("Here I am")  # the debt, and with it where it began, is gone before the visitor asks again
    said = [message["author"] for message in visitor.poll() if message["from"] == "desk"]
    assert said == ["automatic", "person"]


def test_a_debt_that_came_back_is_read_from_its_beginning(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    visitor.poll()
    desk.answer("Hi")
    desk.now += HOUR
    visitor.poll()
    visitor.poll()
    page = rows.since(only_thread()["PK"][2:], desk.now)
    assert page.messages == []
    clients.dynamodb().update_item(
        TableName=environment().table,
        Key={"PK": {"S": only_thread()["PK"]}, "SK": {"S": "T"}},
        UpdateExpression="SET owed_since = :at",
        ExpressionAttributeValues={":at": {"N": str(desk.now - 2 * HOUR)}},
    )
    page = rows.since(only_thread()["PK"][2:], desk.now)
    assert [row.text for row in page.messages] == ["Hello", "Hi"]


def test_a_cursor_never_goes_back(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    floors = []
    for _ in range(5):
        visitor.etag = ""
        visitor.poll()
        floors.append(conversation._floor(visitor.cursor))
        desk.now += 20 * MINUTE
        desk.answer("…", only_thread()["PK"][2:])
    assert floors == sorted(floors)  # type: ignore[type-var]
    assert floors[0] < floors[-1]  # type: ignore[operator]


@pytest.mark.parametrize("cursor", ["x", "Mjox", "é", "1:2", "MTotMQ", "MTo5OTk5OTk5OTk5OTk5OTk"])
def test_a_cursor_of_somebody_elses_making(desk: SiteStage, visitor: Browser, cursor: str) -> None:
    assert visitor.ask("GET", "messages", after=cursor).status == 422


def test_who_looks_asks_soon_and_who_does_not_seldom(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")

    def wait(view: str) -> int:
        return int(visitor.ask("GET", "messages", view=view).body["retry_ms"])

    soon = [wait(view) for view in ("open", "closed", "hidden")]
    assert soon == sorted(soon)
    assert soon[0] <= 3000
    desk.now += HOUR
    assert wait("open") > soon[0]
    assert wait("hidden") == 60_000
    assert visitor.ask("GET", "messages", view="asleep").status == 422


def test_the_visit_is_noted_at_most_once_a_minute(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    visitor.poll()

    def seen() -> int:
        return int(next(row["seen"] for row in scan() if row["SK"] == "W"))

    first = seen()
    desk.now += 30_000
    visitor.poll()
    assert seen() == first
    visitor.poll(view="closed")
    desk.now += 31_000
    visitor.poll(view="closed")
    assert seen() == first
    visitor.poll()
    assert seen() == desk.now


# --- whose conversation it is ---------------------------------------------------------------------


def test_another_visitor_reads_nothing(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Mine")
    other = desk.browser()
    other.open()
    assert other.read() == []


@pytest.mark.parametrize(
    "token",
    [
        "",
        "v1.x.y",
        "nothing",
        visitor_token(Visitor("a:" + "0" * 32, 1), SECRET),
        visitor_token(Visitor("a:" + "0" * 32, 4_102_444_800), "another-secret-of-the-site-00000000000001"),
        jwt({"sub": "1"}, header={"alg": "none"}),
        jwt({"sub": "1"}, header={"alg": "HS512", "typ": "JWT"}),
        jwt({"sub": "1"}, secret="another-secret-of-the-site-00000000000001"),
        jwt({"sub": "1", "exp": 1}),
        jwt({"sub": "1"}).rpartition(".")[0] + ".",
    ],
    ids=[
        "empty", "not ours", "no token", "run out", "another secret", "none", "HS512", "another's JWT",
        "an old JWT", "no signature",
    ],
)  # fmt: skip
@pytest.mark.parametrize(("method", "action"), [("GET", "messages"), ("POST", "messages"), ("GET", "files")])
def test_nobodys_token_opens_nothing(desk: SiteStage, token: str, method: str, action: str) -> None:
    browser = desk.browser()
    browser.token = token
    body = {"client_message_id": str(uuid.uuid4()), "text": "x"} if method == "POST" else None
    assert browser.ask(method, action, body).status == 401
    assert scan() == []


def test_a_token_is_renewed_and_its_visitor_stays(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Hello")
    reader = desk.browser()
    reader.token = visitor.token
    assert reader.open()["has_conversation"] is True
    assert reader.texts() == ["Hello"]


def test_a_token_that_ran_out_is_exchanged_for_a_month(desk: SiteStage) -> None:
    now = int(time.time())
    for age, kept in ((2, True), (29, True), (31, False)):
        browser = desk.browser()
        browser.token = visitor_token(Visitor("a:" + "1" * 32, now - age * 86_400), SECRET)
        assert browser.ask("GET", "messages").status == 401
        browser.open()
        assert (_id(browser) == "a:" + "1" * 32) is kept


def _id(browser: Browser) -> str:
    visitor = visitor_of(browser.token, secrets._connection("webchat", "main", json.dumps(CONNECTION)))
    assert visitor is not None
    return visitor.id


def test_a_secret_is_rotated_without_anybody_noticing(
    desk: SiteStage, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.write("Hello")
    newer = {**CONNECTION, "secrets": ["newer-secret-of-the-site-000000000000001", SECRET]}
    monkeypatch.setattr(secrets, "read_secrets", lambda channel: {"main": json.dumps(newer)})
    desk.handler = function.site()
    later = desk.browser()
    later.token = visitor.token
    later.open()
    assert later.texts() == ["Hello"]


# --- customers whom the company names -------------------------------------------------------------


def test_an_identified_customer_is_the_same_everywhere(desk: SiteStage) -> None:
    at_home, on_the_way = desk.browser(), desk.browser(origin="")
    assert at_home.open(identity=jwt({"sub": "c-1", "name": "Customer One"}))["identified"] is True
    at_home.write("Hello")
    on_the_way.open(identity=jwt({"sub": "c-1"}))
    assert on_the_way.texts() == ["Hello"]
    assert only_thread()["name"] == "Customer One"


def test_an_app_may_use_the_identity_token_itself(desk: SiteStage) -> None:
    app = desk.browser(origin="")
    app.token = jwt({"sub": "c-1"})
    app.write("Hello")
    assert app.texts() == ["Hello"]


def test_what_was_written_before_the_log_in_becomes_the_customers(desk: SiteStage, visitor: Browser) -> None:
    anonymous = visitor.token
    visitor.write("Before")
    visitor.open(identity=jwt({"sub": "c-1", "name": "Customer One"}))
    desk.now += SECOND
    visitor.write("After")
    assert visitor.texts() == ["Before", "After"]
    assert len(threads()) == 1
    assert only_thread()["to"] == "u:c-1"

    elsewhere = desk.browser()
    elsewhere.open(identity=jwt({"sub": "c-1"}))
    assert elsewhere.texts() == ["Before", "After"]

    left_behind = desk.browser()
    left_behind.token = anonymous
    assert left_behind.ask("GET", "messages").body["error"] == "session_ended"
    body = {"client_message_id": str(uuid.uuid4()), "text": "Again"}
    assert left_behind.ask("POST", "messages", body).status == 401
    left_behind.open()
    assert left_behind.read() == []


def test_without_the_visitors_token_nothing_is_attached(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Before")
    other = desk.browser()
    other.open(identity=jwt({"sub": "c-1"}))
    assert other.read() == []
    assert visitor.texts() == ["Before"]


def test_two_threads_of_one_customer_are_both_shown_and_neither_is_merged(desk: SiteStage) -> None:
    known = desk.browser()
    known.open(identity=jwt({"sub": "c-1"}))
    known.write("Last week")
    desk.now += DAY
    browser = desk.browser()
    browser.open()
    browser.write("Not logged in")
    browser.open(identity=jwt({"sub": "c-1"}))
    desk.now += MINUTE
    browser.write("Logged in")
    assert browser.texts() == ["Last week", "Not logged in", "Logged in"]
    assert len(threads()) == 2
    anonymous = next(row for row in threads() if row["to"] == "u:c-1" and row["first"] == "Not logged in")
    desk.answer("To the first", anonymous["PK"][2:])
    assert "To the first" in browser.texts()
    browser.open(identity=jwt({"sub": "c-1"}))
    assert "Not logged in" in browser.texts()


def test_two_customers_are_never_merged(desk: SiteStage, visitor: Browser) -> None:
    """A shared computer: the second one presents what the first one left there."""
    anonymous = visitor.token
    visitor.write("Before")
    visitor.open(identity=jwt({"sub": "c-1"}))
    for left_behind in (anonymous, visitor.token):
        second = desk.browser()
        second.token = left_behind
        second.open(identity=jwt({"sub": "c-2"}))
        assert second.read() == []
    assert visitor.texts() == ["Before"]


def test_two_logins_at_once_claim_a_conversation_once(
    desk: SiteStage, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read that it is nobody's; the claim itself decides."""
    visitor.write("Before")
    second = desk.browser()
    second.token = visitor.token
    claim_it = rows.claim

    def somebody_was_quicker(*arguments: Any) -> bool:
        monkeypatch.setattr(rows, "claim", claim_it)
        visitor.open(identity=jwt({"sub": "c-1"}))
        return claim_it(*arguments)

    monkeypatch.setattr(rows, "claim", somebody_was_quicker)
    second.open(identity=jwt({"sub": "c-2"}))
    assert second.read() == []
    assert visitor.texts() == ["Before"]


def test_nobodys_sub_is_taken_for_a_visitors_id(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Mine")
    id = _id(visitor)
    for sub in (id, f"../{id}", f"u:{id}"):
        other = desk.browser()
        other.open(identity=jwt({"sub": sub}))
        assert other.read() == []


def test_an_identified_token_ends_with_the_identity(desk: SiteStage) -> None:
    browser = desk.browser()
    expires = int(time.time()) + 600
    opened = browser.open(identity=jwt({"sub": "c-1", "exp": expires}))
    assert opened["expires"] == expires
    assert browser.open()["expires"] == expires
    late = desk.browser()
    late.token = visitor_token(Visitor("u:c-1", int(time.time()) - 1), SECRET)
    assert late.open()["identified"] is False


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": ""}, {"sub": None}, {"sub": 7}, {"sub": "x" * 129}, {}, {"sub": "x", "exp": None},
        {"sub": "x", "exp": "soon"}, {"sub": "x", "exp": True}, {"sub": "x", "exp": 1},
        {"sub": "x", "exp": int(time.time()) + 90_000}, {"sub": "x", "nbf": int(time.time()) + 60_000},
        {"sub": "x", "iat": int(time.time()) + 60_000}, {"sub": "x", "aud": "another-site"},
        {"sub": "x\ny"},
    ],
)  # fmt: skip
def test_an_identity_that_does_not_hold(desk: SiteStage, claims: dict[str, Any]) -> None:
    refused = desk.browser().ask("POST", "session", {"identity": jwt(claims)})
    assert (refused.status, refused.body["error"]) == (401, "identity")


# --- what a visitor leaves ------------------------------------------------------------------------


def test_an_e_mail_address_is_kept_shown_to_people_and_owes_nothing(
    desk: SiteStage, visitor: Browser
) -> None:
    visitor.write("Hello")
    desk.answer("Hi")
    kept = visitor.ask("POST", "contact", {"email": "one@example.com", "name": "One"})
    assert (kept.status, kept.body["has_email"]) == (200, True)
    visitor.token = kept.body["visitor_token"]
    assert only_thread().get("owed_since") is None
    assert visitor.open()["has_email"] is True
    assert [row.get("kind", "text") for row in heard()] == ["text", "service"]
    assert visitor.texts() == ["Hello", "Hi"]
    visitor.write("And then")
    assert only_thread()["name"] == "One"


def test_an_e_mail_address_opens_nothing(desk: SiteStage, visitor: Browser) -> None:
    visitor.write("Private")
    visitor.ask("POST", "contact", {"email": "one@example.com"})
    other = desk.browser()
    other.open()
    other.write("I am one@example.com")
    other.ask("POST", "contact", {"email": "one@example.com"})
    assert other.texts() == ["I am one@example.com"]


@pytest.mark.parametrize(
    "email", ["one", "one@example", "a b@example.com", "one@example.com, two@example.com"]
)
def test_what_is_no_address(desk: SiteStage, visitor: Browser, email: str) -> None:
    visitor.write("Hello")
    assert visitor.ask("POST", "contact", {"email": email}).status == 422


def test_nothing_is_left_before_a_word_is_said(desk: SiteStage, visitor: Browser) -> None:
    assert visitor.ask("POST", "contact", {"email": "one@example.com"}).body["error"] == "write_first"
    assert scan() == []


# --- files ----------------------------------------------------------------------------------------


def _upload(browser: Browser, id: str, content: bytes = b"hello", **more: Any) -> str:
    fields = {"client_message_id": id, "number": 0, "name": "note.txt", "type": "text/plain", "size": 5}
    started = browser.ask("POST", "uploads", fields | more)
    assert started.status == 201, started
    form = started.body["fields"]
    clients.s3().put_object(
        Bucket=environment().bucket, Key=form["key"], Body=content, ContentType=form["Content-Type"]
    )
    ticket: str = started.body["file"]
    return ticket


def test_a_file_is_uploaded_sent_and_fetched_again(desk: SiteStage, visitor: Browser) -> None:
    id = str(uuid.uuid4())
    ticket = _upload(visitor, id)
    visitor.write("", id=id, files=[ticket])
    (message,) = visitor.read()
    (file,) = message["files"]
    assert (file["name"], file["type"], file["size"]) == ("note.txt", "text/plain", 5)
    fetched = visitor.ask("GET", "files", file=file["file"])
    assert "response-content-disposition=attachment" in fetched.body["url"]
    assert "response-content-type=application%2Foctet-stream" in fetched.body["url"]
    (row,) = heard()
    assert row["media"][0]["at"].startswith(f"media/{only_thread()['PK'][2:]}/")
    assert row["media"][0]["size"] == 5


def test_a_form_takes_one_type_and_no_more_than_was_said(desk: SiteStage, visitor: Browser) -> None:
    fields = {
        "client_message_id": str(uuid.uuid4()),
        "number": 1,
        "name": "../../x.pdf",
        "type": "application/pdf",
        "size": 1234,
    }
    form = visitor.ask("POST", "uploads", fields).body["fields"]
    conditions = json.loads(base64.b64decode(form["policy"]))["conditions"]
    assert ["content-length-range", 1, 1234] in conditions
    assert {"Content-Type": "application/pdf"} in conditions
    assert {"key": form["key"]} in conditions
    assert form["key"].endswith("/1")
    assert ".." not in form["key"]


def test_a_file_that_was_never_uploaded(desk: SiteStage, visitor: Browser) -> None:
    id = str(uuid.uuid4())
    fields = {"client_message_id": id, "number": 0, "name": "a.txt", "type": "text/plain", "size": 5}
    ticket = visitor.ask("POST", "uploads", fields).body["file"]
    refused = visitor.ask("POST", "messages", {"client_message_id": id, "files": [ticket]})
    assert (refused.status, refused.body["error"]) == (422, "file_missing")
    assert heard() == []


def test_the_file_of_a_written_message_cannot_be_replaced(desk: SiteStage, visitor: Browser) -> None:
    id = str(uuid.uuid4())
    visitor.write("", id=id, files=[_upload(visitor, id)])
    fields = {"client_message_id": id, "number": 0, "name": "a.txt", "type": "text/plain", "size": 5}
    refused = visitor.ask("POST", "uploads", fields)
    assert (refused.status, refused.body["error"]) == (409, "other_message")


def test_another_visitors_file_is_out_of_reach(desk: SiteStage, visitor: Browser) -> None:
    id = str(uuid.uuid4())
    ticket = _upload(visitor, id)
    visitor.write("", id=id, files=[ticket])
    shown = visitor.read()[0]["files"][0]["file"]
    other = desk.browser()
    other.open()
    assert other.ask("GET", "files", file=shown).status == 404
    body = {"client_message_id": str(uuid.uuid4()), "files": [ticket]}
    assert other.ask("POST", "messages", body).status == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "text/html"}, {"type": "image/svg+xml"}, {"type": ""}, {"size": 0}, {"size": 10485761},
        {"size": "5"}, {"number": 5}, {"number": -1}, {"number": True},
    ],
)  # fmt: skip
def test_a_file_that_is_not_taken(desk: SiteStage, visitor: Browser, fields: dict[str, Any]) -> None:
    whole = {
        "client_message_id": str(uuid.uuid4()),
        "number": 0,
        "name": "a",
        "type": "text/plain",
        "size": 5,
    }
    assert visitor.ask("POST", "uploads", whole | fields).status == 422


# --- who may call ---------------------------------------------------------------------------------


def test_a_page_of_the_company_may_call_and_its_preflight_is_answered(desk: SiteStage) -> None:
    asked = desk.browser().ask("OPTIONS", "messages", headers={"access-control-request-method": "POST"})
    assert asked.status == 204
    assert asked.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    heard = desk.browser(origin="https://shop.example.com").ask("POST", "session", {})
    assert heard.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert heard.headers["cache-control"] == "no-store"
    assert heard.headers["vary"] == "origin"


@pytest.mark.parametrize(
    "origin",
    ["https://www.example.com.evil.example", "http://www.example.com", "null", "https://example.com", "*"],
)
def test_a_page_of_somebody_else_may_not(desk: SiteStage, origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        refused = desk.browser(origin=origin).ask(method, "session", {})
        assert refused.status == 403
        assert "access-control-allow-origin" not in refused.headers


def test_an_app_has_no_origin(desk: SiteStage) -> None:
    heard = desk.browser(origin="").ask("POST", "session", {})
    assert heard.status == 200
    assert "access-control-allow-origin" not in heard.headers


def test_a_site_that_there_is_not(desk: SiteStage) -> None:
    assert desk.browser().ask("POST", "session", {}, site="other").status == 404
    assert desk.browser().ask("GET", "nowhere").status == 404
    assert desk.browser().ask("DELETE", "messages").status == 405


def test_the_bare_address_says_that_it_is_alive(desk: SiteStage) -> None:
    """What ``connect`` waits for and ``doctor`` asks."""
    for path, status in (("/main", 401), ("/other", 404)):
        assert _fetch(desk.handler, path)["statusCode"] == status


def test_a_visitor_who_writes_too_much_waits(
    desk: SiteStage, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "MESSAGES_A_MINUTE", 3)
    monkeypatch.setattr(visits, "real_now", lambda: 1_800_000_000_000)
    for number in range(3):
        visitor.write(str(number))
    refused = visitor.ask("POST", "messages", {"client_message_id": str(uuid.uuid4()), "text": "x"})
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    other = desk.browser()
    other.open()
    other.write("somebody else")
    monkeypatch.setattr(visits, "real_now", lambda: 1_800_000_060_000)
    visitor.write("a minute later")


def test_one_address_does_not_begin_conversations_without_end(
    desk: SiteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "NEW_AN_HOUR", 2)
    monkeypatch.setattr(visits, "real_now", lambda: 1_800_000_000_000)
    statuses = []
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
        browser = desk.browser(address=address)
        browser.open()
        body = {"client_message_id": str(uuid.uuid4()), "text": "x"}
        statuses.append(browser.ask("POST", "messages", body).status)
    assert statuses == [200, 200, 429, 200]
    assert "192.0.2" not in everything()


# --- when AWS fails -------------------------------------------------------------------------------


def test_when_nothing_can_be_written_the_client_is_told_to_try_again(
    desk: SiteStage, visitor: Browser, monkeypatch: pytest.MonkeyPatch, log: StringIO
) -> None:
    def fail(*_: Any) -> Any:
        raise TimeoutError("words of a customer")

    monkeypatch.setattr(visits, "ingest", fail)
    busy = visitor.ask("POST", "messages", {"client_message_id": str(uuid.uuid4()), "text": "x"})
    assert (busy.status, busy.headers["retry-after"]) == (503, "1")
    assert "words of a customer" not in log.getvalue()


def test_while_the_secrets_cannot_be_read(desk: SiteStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(channel: str) -> Any:
        raise secrets.SecretsUnavailable("no")

    monkeypatch.setattr(secrets, "read_secrets", fail)
    desk.handler = function.site()
    assert desk.browser().ask("POST", "session", {}).status == 503


# --- the widget -----------------------------------------------------------------------------------


def _fetch(handler: Handler, path: str, **headers: str) -> dict[str, Any]:
    event = {
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}},
    }
    return handler(event, Lambda())


def test_the_widget_is_served_packed_and_kept_by_browsers(desk: SiteStage) -> None:
    plain = _fetch(desk.handler, "/widget/main.js")
    packed = _fetch(desk.handler, "/widget/main.js", **{"accept-encoding": "gzip, br"})
    assert plain["statusCode"] == packed["statusCode"] == 200
    assert plain["headers"]["content-type"] == "text/javascript; charset=utf-8"
    assert "public" in plain["headers"]["cache-control"]
    assert gzip.decompress(base64.b64decode(packed["body"])).decode() == plain["body"]
    again = _fetch(desk.handler, "/widget/main.js", **{"if-none-match": plain["headers"]["etag"]})
    assert again["statusCode"] == 304
    assert _fetch(desk.handler, "/widget/other.js")["statusCode"] == 404


def test_the_widget_is_small(desk: SiteStage) -> None:
    assert len(gzip.compress(function.WIDGET.read_bytes(), 9)) <= 15 * 1024
