"""What Messenger and Page comments are sent, and what the answers mean."""

import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sportello.channels import graph
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Profile,
    Sent,
    Template,
    Unknown,
)
from sportello.channels.http import Http
from sportello.channels.messenger import Messenger
from sportello.channels.meta_errors import BY_CODE, BY_SUBCODE
from sportello.domain.model import DAY
from tests.contract.http_stub import Stub, serving
from tests.contract.vectors import meta_vectors

TOKEN, SECRET = "EAA-canary-token-nobody-may-see", "canary-app-secret"
PAGE, CUSTOMER, APP = "100000000000101", "5000000000000201", "900000000000001"
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    token=TOKEN,
    accounts=(Account(id=PAGE),),
    settings={"verify_token": "fake-verify", "app_id": APP},
)
MESSENGER = Messenger()
SENDS = f"/graph.facebook.com/v26.0/{PAGE}/messages"
COMMENT, POST = "comment:1_9", f"post:{PAGE}_8"
ACCEPTED = {"recipient_id": CUSTOMER, "message_id": "m_9"}
TEXT = "Domani alle 9:00"


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": PAGE, "to": CUSTOMER, "text": TEXT, **changes})


def file(kind: str = "image", mime: str = "image/jpeg", size: int = 1000) -> Attachment:
    fields = {"kind": kind, "mime": mime, "size": size, "name": "a.jpg", "url": "https://files.example.com/a"}
    return Attachment.model_validate(fields)


def buttons(count: int) -> tuple[Button, ...]:
    return tuple(Button(id=f"choice-{number}", title=f"Choice {number}") for number in range(count))


def refuse(platform: Stub, code: int, subcode: int | None = None, status: int = 400, **headers: Any) -> None:
    error = {"message": "(#1) words", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    platform.will_answer(
        status, {"error": error | ({"error_subcode": subcode} if subcode else {})}, **headers
    )


def send(platform: Stub, message: Outbound, connection: Connection = CONNECTION) -> Any:
    return MESSENGER.send(message, connection, platform.http())


def posted(platform: Stub, message: Outbound, answer: Any = None, path: str = SENDS) -> Any:
    """The body of the one call that a message makes."""
    platform.will_answer(200, answer or ACCEPTED)
    assert isinstance(send(platform, message), Sent)
    (call,) = platform.calls
    assert (call.method, call.path, call.headers["authorization"]) == ("POST", path, f"Bearer {TOKEN}")
    return call.json


TO_CUSTOMER = {"recipient": {"id": CUSTOMER}, "messaging_type": "RESPONSE"}


class TestPrivateBodies:
    def test_text(self, platform: Stub) -> None:
        words = "*no* markup & \U0001f642 è"
        assert posted(platform, outbound(text=words)) == {**TO_CUSTOMER, "message": {"text": words}}

    def test_quote_and_our_own_data(self, platform: Stub) -> None:
        assert posted(platform, outbound(quote="m_1", tag="T1 M#42~reply")) == {
            **TO_CUSTOMER,
            "message": {"text": TEXT, "metadata": "T1 M#42~reply"},
            "reply_to": {"mid": "m_1"},
        }

    def test_choices_are_quick_replies(self, platform: Stub) -> None:
        assert posted(platform, outbound(buttons=buttons(2)))["message"] == {
            "text": TEXT,
            "quick_replies": [
                {"content_type": "text", "title": "Choice 0", "payload": "choice-0"},
                {"content_type": "text", "title": "Choice 1", "payload": "choice-1"},
            ],
        }

    @pytest.mark.parametrize(
        ("kind", "mime", "type"),
        [
            ("image", "image/jpeg", "image"),
            ("video", "video/mp4", "video"),
            ("audio", "audio/mpeg", "audio"),
            ("voice", "audio/ogg", "audio"),
            ("document", "application/pdf", "file"),
        ],
    )
    def test_files_go_by_address(self, platform: Stub, kind: str, mime: str, type: str) -> None:
        body = posted(platform, outbound(text="", attachment=file(kind, mime), tag="T1"))
        attachment = {"type": type, "payload": {"url": "https://files.example.com/a"}}
        assert body == {**TO_CUSTOMER, "message": {"attachment": attachment, "metadata": "T1"}}

    def test_a_file_with_a_text_is_two_messages_the_file_first(self, platform: Stub) -> None:
        platform.will_answer(200, {"recipient_id": CUSTOMER, "message_id": "m_file"})
        platform.will_answer(200, {"recipient_id": CUSTOMER, "message_id": "m_text"})
        assert send(platform, outbound(attachment=file())) == Sent(id="m_file", also=("m_text",))
        assert [list(call.json["message"]) for call in platform.calls] == [["attachment"], ["text"]]

    def test_a_file_that_is_refused_keeps_its_text_back(self, platform: Stub) -> None:
        refuse(platform, 100, 2018008)
        outcome = send(platform, outbound(attachment=file()))
        assert outcome == NotSent(problem=Problem.MEDIA, code="100/2018008")
        assert len(platform.calls) == 1

    def test_a_text_that_is_refused_after_its_file_is_unknown(self, platform: Stub) -> None:
        platform.will_answer(200, ACCEPTED)
        refuse(platform, 551)
        assert send(platform, outbound(attachment=file())) == Unknown(code="text after file: 551")

    def test_a_person_known_by_reference(self, platform: Stub) -> None:
        body = posted(platform, outbound(to="user_ref:cart-77"), {"message_id": "m_9"})
        assert body["recipient"] == {"user_ref": "cart-77"}

    def test_the_version_can_be_set(self, platform: Stub) -> None:
        platform.will_answer(200, ACCEPTED)
        newer = CONNECTION.model_copy(update={"settings": {"graph_version": "v27.0"}})
        send(platform, outbound(), newer)
        assert platform.calls[0].path == f"/graph.facebook.com/v27.0/{PAGE}/messages"

    def test_the_proof_that_an_app_may_ask_for(self, platform: Stub) -> None:
        for vector in meta_vectors("appsecret_proof"):
            assert graph.appsecret_proof(vector["secret"], vector["access_token"]) == vector["value"]
        platform.will_answer(200, ACCEPTED)
        asking = CONNECTION.model_copy(update={"settings": {"appsecret_proof": "yes"}})
        send(platform, outbound(), asking)
        query = parse_qs(urlsplit(platform.calls[0].path).query)
        assert query == {"appsecret_proof": [graph.appsecret_proof(SECRET, TOKEN)]}


class TestPublicBodies:
    @pytest.mark.parametrize(("to", "id"), [(COMMENT, "1_9"), (POST, f"{PAGE}_8")])
    def test_an_answer_that_everybody_reads(self, platform: Stub, to: str, id: str) -> None:
        platform.will_answer(200, {"id": "1_10"})
        assert send(platform, outbound(to=to, tag="T1")) == Sent(id="1_10")
        (call,) = platform.calls
        assert call.path == f"/graph.facebook.com/v26.0/{id}/comments"
        assert call.json == {"message": TEXT}

    def test_it_may_carry_a_picture(self, platform: Stub) -> None:
        path = "/graph.facebook.com/v26.0/1_9/comments"
        body = posted(platform, outbound(to=COMMENT, attachment=file()), {"id": "1_10"}, path)
        assert body == {"message": TEXT, "attachment_url": "https://files.example.com/a"}

    @pytest.mark.parametrize(
        ("to", "recipient"), [(COMMENT, {"comment_id": "1_9"}), (POST, {"post_id": f"{PAGE}_8"})]
    )
    def test_a_private_answer_tells_who_it_reached(
        self, platform: Stub, to: str, recipient: dict[str, str]
    ) -> None:
        platform.will_answer(200, ACCEPTED)
        message = outbound(to=to, act="private", tag="T1", buttons=buttons(1))
        assert send(platform, message) == Sent(id="m_9", linked=CUSTOMER)
        (call,) = platform.calls
        assert call.path == SENDS
        assert call.json["recipient"] == recipient
        assert call.json["message"]["metadata"] == "T1"

    def test_a_comment_is_hidden(self, platform: Stub) -> None:
        platform.will_answer(200, {"success": True})
        assert send(platform, outbound(to=COMMENT, act="hide", text="")) == Sent(id="1_9")
        (call,) = platform.calls
        assert (call.path, call.json) == ("/graph.facebook.com/v26.0/1_9", {"is_hidden": True})

    @pytest.mark.parametrize(
        ("to", "quote", "reached"),
        [
            (COMMENT, "1_7", "1_7"),
            (COMMENT, "", "1_9"),
            (COMMENT, "../me", "1_9"),
            (POST, "1_7", "1_7"),
            (COMMENT, f"{PAGE}_8", f"{PAGE}_8"),
        ],
    )
    def test_the_comment_that_is_quoted_is_the_one_meant(
        self, platform: Stub, to: str, quote: str, reached: str
    ) -> None:
        platform.will_answer(200, {"success": True})
        assert send(platform, outbound(to=to, quote=quote, act="hide")) == Sent(id=reached)
        platform.will_answer(200, ACCEPTED)
        send(platform, outbound(to=to, quote=quote, act="private"))
        recipient = platform.calls[-1].json["recipient"]
        assert recipient == {"post_id" if reached.startswith(PAGE) else "comment_id": reached}

    @pytest.mark.parametrize("answer", [{"success": False}, {}])
    def test_whether_it_was_hidden_is_told(self, platform: Stub, answer: Any) -> None:
        platform.will_answer(200, answer)
        assert isinstance(send(platform, outbound(to=COMMENT, act="hide")), Unknown)

    @pytest.mark.parametrize("to", ["", "comment:", "comment:1/2", "a b", "post:../me", CUSTOMER + "?x=1"])
    def test_an_address_that_is_none_goes_nowhere(self, platform: Stub, to: str) -> None:
        assert send(platform, outbound(to=to)) == NotSent(problem=Problem.REFUSED, code="address")
        assert platform.calls == []


TAGGED = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}


class TestLate:
    def test_a_person_may_still_answer(self, platform: Stub) -> None:
        refuse(platform, 10, 2018278)
        platform.will_answer(200, ACCEPTED)
        assert send(platform, outbound(by_person=True)) == Sent(id="m_9")
        first, second = (call.json for call in platform.calls)
        assert first["messaging_type"] == "RESPONSE"
        assert second == first | TAGGED

    def test_in_time_no_tag_is_used(self, platform: Stub) -> None:
        body = posted(platform, outbound(by_person=True))
        assert "tag" not in body

    def test_an_automatic_reply_never_uses_it(self, platform: Stub) -> None:
        refuse(platform, 10, 2018278)
        assert send(platform, outbound()) == NotSent(problem=Problem.WINDOW_CLOSED, code="10/2018278")
        assert len(platform.calls) == 1

    @pytest.mark.parametrize(("code", "subcode"), [(10, None), (100, None), (10, 2018065)])
    def test_without_the_feature_the_window_is_closed(
        self, platform: Stub, code: int, subcode: int | None
    ) -> None:
        refuse(platform, 10, 2018278)
        refuse(platform, code, subcode)
        outcome = send(platform, outbound(by_person=True))
        assert isinstance(outcome, NotSent)
        assert outcome.problem is Problem.WINDOW_CLOSED

    def test_silence_after_the_second_is_unknown(self, platform: Stub) -> None:
        refuse(platform, 10, 2018278)
        platform.will_answer(500, b"")
        assert send(platform, outbound(by_person=True)) == Unknown(code="500")


class TestAnswers:
    @pytest.mark.parametrize("subcode", sorted(BY_SUBCODE))
    def test_every_subcode_of_the_table(self, platform: Stub, subcode: int) -> None:
        refuse(platform, 100, subcode, status=500)
        outcome = send(platform, outbound())
        assert isinstance(outcome, NotSent)
        assert (outcome.problem, outcome.code) == (BY_SUBCODE[subcode], f"100/{subcode}")
        assert (outcome.wait is not None) == (outcome.problem is Problem.BUSY)

    @pytest.mark.parametrize("code", sorted(BY_CODE))
    def test_every_code_of_the_table(self, platform: Stub, code: int) -> None:
        refuse(platform, code, 7, status=500)
        outcome = send(platform, outbound())
        assert isinstance(outcome, NotSent)
        assert outcome.problem == BY_CODE[code]

    @pytest.mark.parametrize(
        ("code", "subcode", "problem"),
        [
            (551, None, Problem.UNREACHABLE),
            (551, 1545041, Problem.UNREACHABLE),
            (200, 1545041, Problem.UNREACHABLE),
            (10, 2018108, Problem.UNREACHABLE),
            (100, 2018001, Problem.UNREACHABLE),
            (10, 2018065, Problem.WINDOW_CLOSED),
            (10, 2018278, Problem.WINDOW_CLOSED),
            (10, 1893063, Problem.RECONNECT),
            (190, 463, Problem.RECONNECT),
            (200, 2018028, Problem.RECONNECT),
            (200, None, Problem.RECONNECT),
            (10, None, Problem.RECONNECT),
            (368, None, Problem.RECONNECT),
            (100, 2018047, Problem.MEDIA),
            (100, 2018014, Problem.REFUSED),
            (100, None, Problem.REFUSED),
            (10, 2018300, Problem.REFUSED),
            (10900, None, Problem.REFUSED),
            (10901, None, Problem.WINDOW_CLOSED),
            (9000001, None, Problem.REFUSED),
            (1200, None, Problem.TEMPORARY),
            (424242, None, Problem.REFUSED),
        ],
    )
    def test_what_errors_mean(self, platform: Stub, code: int, subcode: int | None, problem: Problem) -> None:
        refuse(platform, code, subcode)
        expected = f"{code}/{subcode}" if subcode else str(code)
        assert send(platform, outbound()) == NotSent(problem=problem, code=expected)

    @pytest.mark.parametrize(
        ("code", "subcode", "headers", "wait"),
        [
            (4, None, {}, 60.0),
            (613, 2534040, {"retry_after": "17"}, 17.0),
            (32, None, {"retry_after": "x"}, 60.0),
        ],
    )
    def test_how_long_to_wait(
        self, platform: Stub, code: int, subcode: int | None, headers: dict[str, Any], wait: float
    ) -> None:
        refuse(platform, code, subcode, **headers)
        outcome = send(platform, outbound())
        assert isinstance(outcome, NotSent)
        assert (outcome.problem, outcome.wait) == (Problem.BUSY, wait)

    @pytest.mark.parametrize(("code", "subcode"), [(1, 1357046), (1, None), (2, 1357046), (77, None)])
    def test_an_error_after_which_it_may_have_been_sent(
        self, platform: Stub, code: int, subcode: int | None
    ) -> None:
        refuse(platform, code, subcode, status=500)
        assert isinstance(send(platform, outbound()), Unknown)

    @pytest.mark.parametrize(
        ("status", "content", "expected"),
        [
            (500, b"", Unknown(code="500")),
            (503, {"error": {"message": "x"}}, Unknown(code="503")),
            (408, b"", Unknown(code="408")),
            (302, b"", Unknown(code="302")),
            (200, b"", Unknown(code="200 without an id")),
            (200, {"message_id": ""}, Unknown(code="200 without an id")),
            (200, {"message_id": 7}, Unknown(code="200 without an id")),
            (401, b"", NotSent(problem=Problem.RECONNECT, code="401")),
            (404, b"", NotSent(problem=Problem.REFUSED, code="404")),
            (429, b"", NotSent(problem=Problem.BUSY, code="429", wait=60.0)),
        ],
    )
    def test_answers_without_a_code(self, platform: Stub, status: int, content: Any, expected: Any) -> None:
        platform.will_answer(status, content)
        assert send(platform, outbound()) == expected

    def test_silence_after_accepting_is_unknown(self, platform: Stub) -> None:
        platform.hang = threading.Event()
        outcome = MESSENGER.send(outbound(), CONNECTION, platform.http(read_seconds=0.1))
        assert outcome == Unknown(code="no_answer")

    def test_a_refused_connection_sent_nothing(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            http = Http(rewrite=f"http://127.0.0.1:{free.getsockname()[1]}")
            outcome = MESSENGER.send(outbound(), CONNECTION, http)
        assert outcome == NotSent(problem=Problem.TEMPORARY, code="not_connected")

    @pytest.mark.parametrize("token", ["", "a b", "a\nb", "tokèn", "\udc80"])
    def test_a_token_that_cannot_stand_in_a_header_is_not_sent(self, platform: Stub, token: str) -> None:
        outcome = send(platform, outbound(), CONNECTION.model_copy(update={"token": token}))
        assert outcome == NotSent(problem=Problem.RECONNECT, code="token")
        assert platform.calls == []


class TestRefusal:
    NOW = 1_795_461_300_000

    def refusal(self, ago: int | None = 1, **changes: Any) -> Problem | None:
        last = None if ago is None else self.NOW - ago
        return MESSENGER.refusal(outbound(**changes), last, self.NOW)

    @pytest.mark.parametrize(
        ("changes", "window"),
        [
            ({}, DAY),
            ({"by_person": True}, 7 * DAY),
            ({"to": COMMENT, "act": "private"}, 7 * DAY),
            ({"to": COMMENT, "act": "private", "by_person": True}, 7 * DAY),
        ],
    )
    def test_the_windows_edges(self, changes: dict[str, Any], window: int) -> None:
        assert self.refusal(window - 1, **changes) is None
        assert self.refusal(window, **changes) is Problem.WINDOW_CLOSED
        assert self.refusal(None, **changes) is Problem.WINDOW_CLOSED

    def test_in_public_there_is_no_window(self) -> None:
        assert self.refusal(400 * DAY, to=COMMENT) is None
        assert self.refusal(400 * DAY, to=COMMENT, act="hide", text="") is None

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"text": "è" * 2000}, None),
            ({"text": "è" * 2001}, Problem.TOO_LONG),
            ({"text": " \n"}, Problem.EMPTY),
            ({"template": Template(name="x", language="it")}, Problem.REFUSED),
            ({"act": "private"}, Problem.REFUSED),
            ({"act": "hide"}, Problem.REFUSED),
            ({"to": "comment:"}, Problem.REFUSED),
            ({"buttons": buttons(13)}, None),
            ({"buttons": buttons(14)}, Problem.REFUSED),
            ({"buttons": (Button(id="a", title="x" * 21),)}, Problem.REFUSED),
            ({"buttons": (Button(id="a", title=" "),)}, Problem.REFUSED),
            ({"buttons": (Button(id="", title="x"),)}, Problem.REFUSED),
            ({"buttons": (Button(id="a", title="x"), Button(id="a", title="y"))}, Problem.REFUSED),
            ({"buttons": buttons(1), "to": COMMENT}, Problem.REFUSED),
            ({"buttons": buttons(1), "to": COMMENT, "act": "private"}, None),
            ({"attachment": file(size=8_000_000)}, None),
            ({"attachment": file(size=8_000_001)}, Problem.MEDIA),
            ({"attachment": file("document", "application/zip", 25_000_000)}, None),
            ({"attachment": file("document", "application/zip", 25_000_001)}, Problem.MEDIA),
            ({"attachment": file("video", "image/gif")}, Problem.MEDIA),
            ({"attachment": file(), "to": COMMENT}, None),
            ({"attachment": file("document", "application/pdf"), "to": COMMENT}, Problem.MEDIA),
            ({"attachment": file("document", "application/pdf"), "to": COMMENT, "act": "private"}, None),
        ],
    )
    def test_what_is_not_sent(self, changes: dict[str, Any], expected: Problem | None) -> None:
        assert self.refusal(**changes) is expected


class TestProfile:
    @pytest.mark.parametrize(
        ("answer", "expected"),
        [
            ({"name": "Customer One", "first_name": "Customer"}, Profile(name="Customer One")),
            ({"first_name": "Customer", "last_name": "One"}, Profile(name="Customer One")),
            ({"first_name": "Customer"}, Profile(name="Customer")),
            ({}, None),
            ({"name": ["x"]}, None),
        ],
    )
    def test_the_name_where_it_is_told(self, platform: Stub, answer: Any, expected: Any) -> None:
        platform.will_answer(200, answer)
        assert MESSENGER.profile(CUSTOMER, CONNECTION, platform.http()) == expected
        fields = "fields=first_name,last_name,name"
        assert platform.calls[0].path == f"/graph.facebook.com/v26.0/{CUSTOMER}?{fields}"

    def test_it_is_never_in_the_way(self, platform: Stub) -> None:
        refuse(platform, 100, 2018218)
        assert MESSENGER.profile(CUSTOMER, CONNECTION, platform.http()) is None
        assert MESSENGER.profile(COMMENT, CONNECTION, platform.http()) is None
        assert len(platform.calls) == 1
