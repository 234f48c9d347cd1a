"""What Instagram is sent with either login, what the answers mean, and how an account is connected."""

import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    ConnectError,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Profile,
    Sent,
)
from sportello.channels.instagram import FIELDS, OWN_PERMISSIONS, Instagram
from sportello.domain.model import DAY
from tests.contract.http_stub import Stub, serving

TOKEN, SECRET, APP = "IGAA-canary-token-nobody-may-see", "canary-app-secret", "900000000000001"
ACCOUNT, PAGE, CUSTOMER = "17840000000000101", "100000000000101", "6000000000000201"
BY_ACCOUNT = Connection(
    name="main",
    secrets=(SECRET,),
    token=TOKEN,
    accounts=(Account(id=ACCOUNT),),
    settings={"login": "instagram", "verify_token": "fake-verify"},
)
BY_PAGE = BY_ACCOUNT.model_copy(
    update={"settings": {"login": "facebook", "verify_token": "fake-verify", "page_id": PAGE, "app_id": APP}}
)
OWN, META = "/graph.instagram.com/v26.0", "/graph.facebook.com/v26.0"
LOGINS = [pytest.param(BY_ACCOUNT, OWN, id="instagram"), pytest.param(BY_PAGE, META, id="facebook")]
INSTAGRAM = Instagram()
URL = "https://desk.example.com/main"
COMMENT = "comment:17920000000000001"
ACCEPTED = {"recipient_id": CUSTOMER, "message_id": "m_9"}
TEXT = "Domani alle 9:00"


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def outbound(**changes: Any) -> Outbound:
    return Outbound(**{"account": ACCOUNT, "to": CUSTOMER, "text": TEXT, **changes})


def file(kind: str = "image", mime: str = "image/jpeg", size: int = 1000) -> Attachment:
    fields = {"kind": kind, "mime": mime, "size": size, "name": "a.jpg", "url": "https://files.example.com/a"}
    return Attachment.model_validate(fields)


def refuse(platform: Stub, code: int, subcode: int | None = None, status: int = 400) -> None:
    error = {"message": "(#1) words", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    platform.will_answer(status, {"error": error | ({"error_subcode": subcode} if subcode else {})})


@pytest.mark.parametrize(("connection", "root"), LOGINS)
class TestBodies:
    def test_text_quote_and_choices(self, platform: Stub, connection: Connection, root: str) -> None:
        platform.will_answer(200, ACCEPTED)
        message = outbound(quote="m_1", tag="T1", buttons=(Button(id="a", title="A"),))
        assert INSTAGRAM.send(message, connection, platform.http()) == Sent(id="m_9")
        (call,) = platform.calls
        assert call.path == f"{root}/me/messages"
        assert call.headers["authorization"] == f"Bearer {TOKEN}"
        assert call.json == {
            "recipient": {"id": CUSTOMER},
            "message": {
                "text": TEXT,
                "quick_replies": [{"content_type": "text", "title": "A", "payload": "a"}],
            },
            "reply_to": {"mid": "m_1"},
        }

    def test_a_file(self, platform: Stub, connection: Connection, root: str) -> None:
        platform.will_answer(200, ACCEPTED)
        message = outbound(text="", attachment=file("document", "application/pdf"))
        assert INSTAGRAM.send(message, connection, platform.http()) == Sent(id="m_9")
        attachment = {"type": "file", "payload": {"url": "https://files.example.com/a"}}
        assert platform.calls[0].json["message"] == {"attachment": attachment}

    def test_a_person_s_late_answer(self, platform: Stub, connection: Connection, root: str) -> None:
        refuse(platform, 10, 2534022)
        platform.will_answer(200, ACCEPTED)
        assert INSTAGRAM.send(outbound(by_person=True), connection, platform.http()) == Sent(id="m_9")
        first, second = (call.json for call in platform.calls)
        assert second == first | {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}

    def test_an_answer_below_a_comment(self, platform: Stub, connection: Connection, root: str) -> None:
        platform.will_answer(200, {"id": "179"})
        assert INSTAGRAM.send(outbound(to=COMMENT), connection, platform.http()) == Sent(id="179")
        (call,) = platform.calls
        assert (call.path, call.json) == (f"{root}/17920000000000001/replies", {"message": TEXT})

    @pytest.mark.parametrize(("to", "more"), [("mention:M1", {}), ("mention:M1:C1", {"comment_id": "C1"})])
    def test_an_answer_to_a_mention(
        self, platform: Stub, connection: Connection, root: str, to: str, more: dict[str, str]
    ) -> None:
        platform.will_answer(200, {"id": "179"})
        assert INSTAGRAM.send(outbound(to=to), connection, platform.http()) == Sent(id="179")
        (call,) = platform.calls
        assert call.path == f"{root}/{ACCOUNT}/mentions"
        assert call.json == {"media_id": "M1", "message": TEXT} | more

    def test_a_private_answer_to_a_comment(self, platform: Stub, connection: Connection, root: str) -> None:
        platform.will_answer(200, ACCEPTED)
        message = outbound(to=COMMENT, act="private", by_person=True)
        assert INSTAGRAM.send(message, connection, platform.http()) == Sent(id="m_9", linked=CUSTOMER)
        (call,) = platform.calls
        assert call.path == f"{root}/me/messages"
        assert call.json == {
            "recipient": {"comment_id": "17920000000000001"},
            "message": {"text": TEXT},
        }

    def test_hiding_a_comment(self, platform: Stub, connection: Connection, root: str) -> None:
        platform.will_answer(200, {"success": True})
        message = outbound(to=COMMENT, act="hide", text="")
        assert INSTAGRAM.send(message, connection, platform.http()) == Sent(id="17920000000000001")
        (call,) = platform.calls
        assert (call.method, call.path, call.body) == ("POST", f"{root}/17920000000000001?hide=true", b"")

    def test_who_somebody_is(self, platform: Stub, connection: Connection, root: str) -> None:
        for answer, expected in (
            ({"name": "Customer One", "username": "one"}, Profile(name="Customer One")),
            ({"username": "one"}, Profile(name="one")),
            ({}, None),
        ):
            platform.will_answer(200, answer)
            assert INSTAGRAM.profile(CUSTOMER, connection, platform.http()) == expected
        assert platform.calls[0].path == f"{root}/{CUSTOMER}?fields=name,username"


class TestAnswers:
    @pytest.mark.parametrize(
        ("code", "subcode", "problem"),
        [
            (10, 2534022, Problem.WINDOW_CLOSED),
            (100, 2534014, Problem.UNREACHABLE),
            (100, 2534029, Problem.UNREACHABLE),
            (100, 2534015, Problem.REFUSED),
            (100, 2534025, Problem.REFUSED),
            (100, 2534037, Problem.REFUSED),
            (10, 2534077, Problem.RECONNECT),
            (200, 2534041, Problem.RECONNECT),
            (190, None, Problem.RECONNECT),
            (551, None, Problem.UNREACHABLE),
            (613, 2534040, Problem.BUSY),
        ],
    )
    def test_what_errors_mean(self, platform: Stub, code: int, subcode: int | None, problem: Problem) -> None:
        refuse(platform, code, subcode)
        outcome = INSTAGRAM.send(outbound(), BY_ACCOUNT, platform.http())
        assert isinstance(outcome, NotSent)
        assert outcome.problem is problem


class TestRefusal:
    NOW = 1_795_461_300_000

    def refusal(self, ago: int = 1, **changes: Any) -> Problem | None:
        return INSTAGRAM.refusal(outbound(**changes), self.NOW - ago, self.NOW)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("x" * 1000, None),
            ("x" * 1001, Problem.TOO_LONG),
            ("è" * 500, None),
            ("è" * 501, Problem.TOO_LONG),
            ("\U0001f642" * 250, None),
            ("\U0001f642" * 250 + "x", Problem.TOO_LONG),
            (" ", Problem.EMPTY),
        ],
    )
    def test_the_limit_counts_bytes(self, text: str, expected: Problem | None) -> None:
        assert self.refusal(text=text) is expected

    def test_the_windows(self) -> None:
        assert self.refusal(DAY) is Problem.WINDOW_CLOSED
        assert self.refusal(7 * DAY - 1, by_person=True) is None
        assert self.refusal(7 * DAY, by_person=True) is Problem.WINDOW_CLOSED
        assert self.refusal(7 * DAY - 1, to=COMMENT, act="private") is None
        assert self.refusal(7 * DAY, to=COMMENT, act="private") is Problem.WINDOW_CLOSED
        assert self.refusal(400 * DAY, to=COMMENT) is None

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"attachment": file()}, None),
            ({"attachment": file(mime="image/gif")}, Problem.MEDIA),
            ({"attachment": file("document", "application/zip")}, Problem.MEDIA),
            ({"attachment": file("video", "video/mp4", 25_000_001)}, Problem.MEDIA),
            ({"attachment": file(), "to": COMMENT}, Problem.MEDIA),
            ({"attachment": file(), "to": COMMENT, "act": "private"}, Problem.MEDIA),
            ({"buttons": (Button(id="a", title="A"),), "to": COMMENT, "act": "private"}, Problem.REFUSED),
            ({"act": "hide"}, Problem.REFUSED),
            ({"to": "mention:M", "act": "hide"}, Problem.REFUSED),
            ({"to": "mention:M", "act": "private"}, Problem.REFUSED),
            ({"to": "mention:M"}, None),
        ],
    )
    def test_what_is_not_sent(self, changes: dict[str, Any], expected: Problem | None) -> None:
        assert self.refusal(**changes) is expected


class TestConnecting:
    def test_instagram_login_tells_both_ids(self, platform: Stub) -> None:
        platform.will_answer(200, {"user_id": int(ACCOUNT), "id": "26", "username": "sampledesk"})
        probed = INSTAGRAM.probe(BY_ACCOUNT, platform.http())
        assert probed.accounts == (Account(id=ACCOUNT, name="sampledesk"),)
        assert probed.settings == {"app_scoped_id": "26"}
        assert platform.calls[0].path == f"{OWN}/me?fields=user_id,username,id"

    def test_facebook_login_finds_the_account_behind_the_page(self, platform: Stub) -> None:
        linked = {"id": ACCOUNT, "username": "sampledesk"}
        page = {"id": PAGE, "name": "Sample", "instagram_business_account": linked}
        for answer in (page, {"id": APP}, {"id": APP}):
            platform.will_answer(200, answer)
        probed = INSTAGRAM.probe(BY_PAGE, platform.http())
        assert probed.accounts == (Account(id=ACCOUNT, name="sampledesk"),)
        assert probed.settings == {"page_id": PAGE, "app_id": APP}
        assert platform.calls[2].headers["authorization"] == f"Bearer {APP}|{SECRET}"

    @pytest.mark.parametrize("answer", [{"id": PAGE}, {"instagram_business_account": "x"}, {}])
    def test_a_page_without_an_account_is_named(self, platform: Stub, answer: Any) -> None:
        platform.will_answer(200, answer)
        with pytest.raises(ConnectError, match="linked"):
            INSTAGRAM.probe(BY_PAGE, platform.http())

    def test_a_login_that_is_none_is_named(self, platform: Stub) -> None:
        odd = BY_ACCOUNT.model_copy(update={"settings": {"login": "google"}})
        with pytest.raises(ConnectError, match="instagram or facebook"):
            INSTAGRAM.probe(odd, platform.http())

    def test_instagram_login_leaves_the_address_to_be_entered(self, platform: Stub) -> None:
        platform.will_answer(200, {"data": []})
        platform.will_answer(200, {"success": True})
        left = INSTAGRAM.register(BY_ACCOUNT, URL, platform.http())
        parts = urlsplit(platform.calls[1].path)
        assert parts.path == f"{OWN}/me/subscribed_apps"
        assert parse_qs(parts.query) == {"subscribed_fields": [",".join(FIELDS)]}
        assert URL in left
        assert "fake-verify" in left

    def test_facebook_login_sets_it(self, platform: Stub) -> None:
        platform.will_answer(200, {"data": [{"id": APP, "subscribed_fields": ["feed", "messages"]}]})
        platform.will_answer(200, {"success": True})
        platform.will_answer(200, {"success": True})
        left = INSTAGRAM.register(BY_PAGE, URL, platform.http())
        _, subscription, address = platform.calls
        parts = urlsplit(subscription.path)
        assert parts.path == f"{META}/{PAGE}/subscribed_apps"
        assert parse_qs(parts.query) == {"subscribed_fields": ["feed,messages"]}
        assert (address.json["object"], address.json["callback_url"]) == ("instagram", URL)
        assert address.json["fields"] == ",".join(FIELDS)
        assert URL not in left

    @pytest.mark.parametrize(("connection", "root"), LOGINS)
    def test_no_error_shows_a_secret(self, platform: Stub, connection: Connection, root: str) -> None:
        for code in (190, 100, 10, 4, 999999):
            refuse(platform, code)
            with pytest.raises(ConnectError) as caught:
                INSTAGRAM.probe(connection, platform.http())
            shown = "".join(traceback.format_exception(caught.value))
            assert TOKEN not in shown
            assert SECRET not in shown


class TestExamine:
    def test_nothing_is_wrong(self, platform: Stub) -> None:
        platform.will_answer(200, {"data": [{"subscribed_fields": list(FIELDS)}]})
        platform.will_answer(200, {"data": []})
        assert list(INSTAGRAM.examine(BY_ACCOUNT, URL, platform.http())) == []
        assert platform.calls[1].path == f"{OWN}/me/conversations?platform=instagram&limit=1"

    def test_what_is_missing_and_that_messages_are_withheld(self, platform: Stub) -> None:
        platform.will_answer(200, {"data": [{"subscribed_fields": ["messages"]}]})
        refuse(platform, 200, 2534041, status=403)
        found = INSTAGRAM.examine(BY_ACCOUNT, URL, platform.http())
        assert [finding.code for finding in found] == ["not_subscribed", "messages_off"]
        assert "Connected tools" in found[1].text

    def test_by_page_the_app_is_looked_at_too(self, platform: Stub) -> None:
        fields = [{"name": name} for name in FIELDS]
        answers: tuple[Any, ...] = (
            {"data": [{"object": "instagram", "callback_url": "https://else", "fields": fields}]},
            {"data": {"is_valid": True, "scopes": ["instagram_basic"]}},
            {"data": [{"id": APP, "subscribed_fields": ["messages"]}]},
            {"data": []},
        )
        for answer in answers:
            platform.will_answer(200, answer)
        found = INSTAGRAM.examine(BY_PAGE, URL, platform.http())
        assert [finding.code for finding in found] == ["webhook_elsewhere", "permission_missing"]
        assert OWN_PERMISSIONS not in found[1].text


class TestRenewal:
    def test_a_fresh_token_of_instagram_login(self, platform: Stub) -> None:
        platform.will_answer(200, {"access_token": "IGAA-newer", "token_type": "bearer", "expires_in": 1})
        assert INSTAGRAM.renew(BY_ACCOUNT, platform.http()) == "IGAA-newer"
        parts = urlsplit(platform.calls[0].path)
        assert parts.path == "/graph.instagram.com/refresh_access_token"
        assert parse_qs(parts.query) == {"grant_type": ["ig_refresh_token"], "access_token": [TOKEN]}

    @pytest.mark.parametrize("answer", [{"access_token": TOKEN}, {"access_token": "a b"}, {}, b"oops"])
    def test_the_same_or_none_is_kept(self, platform: Stub, answer: Any) -> None:
        platform.will_answer(200, answer)
        assert INSTAGRAM.renew(BY_ACCOUNT, platform.http()) == ""

    def test_a_refusal_changes_nothing(self, platform: Stub) -> None:
        refuse(platform, 190)
        assert INSTAGRAM.renew(BY_ACCOUNT, platform.http()) == ""

    def test_a_page_s_token_stays(self, platform: Stub) -> None:
        assert INSTAGRAM.renew(BY_PAGE, platform.http()) == ""
        assert platform.calls == []
