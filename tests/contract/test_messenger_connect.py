"""How a Page is connected and looked after: probe, register, examine."""

import json
import traceback
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sportello.channels.base import Account, ConnectError, Connection
from sportello.channels.messenger import FIELDS, PERMISSIONS, Messenger
from tests.contract.http_stub import Stub, serving

TOKEN, SECRET = "EAA-canary-token-nobody-may-see", "canary-app-secret"
PAGE, APP = "100000000000101", "900000000000001"
CONNECTION = Connection(
    name="main",
    secrets=(SECRET,),
    token=TOKEN,
    accounts=(Account(id=PAGE),),
    settings={"verify_token": "fake-verify", "app_id": APP},
)
MESSENGER = Messenger()
URL = "https://desk.example.com/main"


@pytest.fixture
def platform() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


def refuse(platform: Stub, code: int, subcode: int | None = None) -> None:
    error = {"message": "(#1) words", "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    platform.will_answer(400, {"error": error | ({"error_subcode": subcode} if subcode else {})})


ME = {"id": PAGE, "name": "Sample Desk", "category": "Shop"}


class TestConnecting:
    def test_probe_finds_page_and_app_and_proves_the_secret(self, platform: Stub) -> None:
        for answer in (ME, {"id": APP, "name": "Desk"}, {"id": APP}):
            platform.will_answer(200, answer)
        probed = MESSENGER.probe(CONNECTION, platform.http())
        assert probed.accounts == (Account(id=PAGE, name="Sample Desk"),)
        assert probed.settings == {"app_id": APP}
        asked = [(call.path, call.headers["authorization"]) for call in platform.calls]
        assert asked == [
            ("/graph.facebook.com/v26.0/me?fields=id,name,category", f"Bearer {TOKEN}"),
            ("/graph.facebook.com/v26.0/app?fields=id,name", f"Bearer {TOKEN}"),
            (f"/graph.facebook.com/v26.0/{APP}?fields=id", f"Bearer {APP}|{SECRET}"),
        ]

    def test_a_wrong_secret_is_told_apart_from_a_wrong_token(self, platform: Stub) -> None:
        platform.will_answer(200, ME)
        platform.will_answer(200, {"id": APP})
        refuse(platform, 190)
        with pytest.raises(ConnectError) as caught:
            MESSENGER.probe(CONNECTION, platform.http())
        assert caught.value.code == "secret_wrong"

    @pytest.mark.parametrize(
        ("code", "subcode", "word"),
        [
            (190, 463, "token_refused"),
            (100, None, "refused"),
            (10, None, "permission_missing"),
            (4, None, "busy"),
        ],
    )
    def test_what_is_wrong_with_a_token(
        self, platform: Stub, code: int, subcode: int | None, word: str
    ) -> None:
        refuse(platform, code, subcode)
        with pytest.raises(ConnectError) as caught:
            MESSENGER.probe(CONNECTION, platform.http())
        assert caught.value.code == word

    def test_register_sets_the_address_and_keeps_what_the_page_sends_already(self, platform: Stub) -> None:
        platform.will_answer(200, {"success": True})
        platform.will_answer(200, {"data": [{"id": APP, "subscribed_fields": ["leadgen", "messages"]}]})
        platform.will_answer(200, {"success": True})
        left = MESSENGER.register(CONNECTION, URL, platform.http())
        address, _, subscription = platform.calls
        assert address.path == f"/graph.facebook.com/v26.0/{APP}/subscriptions"
        assert address.headers["authorization"] == f"Bearer {APP}|{SECRET}"
        assert address.json == {
            "object": "page",
            "callback_url": URL,
            "verify_token": "fake-verify",
            "fields": ",".join(FIELDS),
            "include_values": True,
        }
        query = parse_qs(urlsplit(subscription.path).query)
        assert query["subscribed_fields"][0].split(",") == ["leadgen", *FIELDS]
        assert "Human Agent" in left

    def test_an_address_that_does_not_answer_is_named(self, platform: Stub) -> None:
        refuse(platform, 2200)
        with pytest.raises(ConnectError) as caught:
            MESSENGER.register(CONNECTION, URL, platform.http())
        assert caught.value.code == "challenge_failed"

    @pytest.mark.parametrize("token", [TOKEN, f"{TOKEN} ", f"{TOKEN}\r\nX: y", f"{TOKEN}è"])
    @pytest.mark.parametrize("code", [190, 100, 10, 4, 999999, None])
    def test_no_error_shows_a_secret(self, platform: Stub, token: str, code: int | None) -> None:
        connection = CONNECTION.model_copy(update={"token": token})
        for ask in (
            lambda: MESSENGER.probe(connection, platform.http()),
            lambda: MESSENGER.register(connection, URL, platform.http()),
        ):
            if code is None:
                platform.will_answer(500, f"oops {TOKEN}".encode())
            else:
                refuse(platform, code)
            with pytest.raises(ConnectError) as caught:
                ask()
            shown = "".join(traceback.format_exception(caught.value))
            assert TOKEN not in shown
            assert SECRET not in shown
            assert "fake-verify" not in str(caught.value)
            assert len(str(caught.value)) > 40


GOOD_TOKEN = {"is_valid": True, "expires_at": 0, "scopes": PERMISSIONS.split(", ")}
GOOD_PAGE = {"data": [{"id": APP, "subscribed_fields": list(FIELDS)}]}


class TestExamine:
    @staticmethod
    def app(**changes: Any) -> dict[str, Any]:
        fields = [{"name": name, "version": "v26.0"} for name in FIELDS]
        ours = {"object": "page", "callback_url": URL, "active": True, "fields": fields}
        return {"data": [{"object": "instagram", "callback_url": "https://else"}, ours | changes]}

    def examine(self, platform: Stub, app: Any = None, token: Any = None, page: Any = None) -> list[str]:
        for answer in (app or self.app(), token or {"data": GOOD_TOKEN}, page or GOOD_PAGE):
            platform.will_answer(200, answer)
        found = MESSENGER.examine(CONNECTION, URL, platform.http())
        assert TOKEN not in json.dumps([finding.text for finding in found])
        return [finding.code for finding in found]

    def test_nothing_is_wrong(self, platform: Stub) -> None:
        assert self.examine(platform) == []

    def test_the_app_delivers_elsewhere_or_not_at_all(self, platform: Stub) -> None:
        assert self.examine(platform, app=self.app(callback_url="https://else")) == ["webhook_elsewhere"]
        assert self.examine(platform, app={"data": []}) == ["webhook_missing"]
        assert self.examine(platform, app=self.app(active=False)) == ["webhook_missing"]
        assert self.examine(platform, app=self.app(fields=[{"name": "messages"}])) == ["not_subscribed"]

    def test_the_page_sends_nothing_or_not_all(self, platform: Stub) -> None:
        assert self.examine(platform, page={"data": []}) == ["not_subscribed"]
        others = {"data": [{"id": "1", "subscribed_fields": list(FIELDS)}]}
        assert self.examine(platform, page=others) == ["not_subscribed"]
        few = {"data": [{"id": APP, "subscribed_fields": ["messages"]}]}
        assert self.examine(platform, page=few) == ["not_subscribed"]

    def test_the_token_is_over_soon_over_or_too_weak(self, platform: Stub) -> None:
        for changes, code in (
            ({"is_valid": False}, "token_refused"),
            ({"expires_at": 1_000_000_000}, "token_ends"),
            ({"data_access_expires_at": 1_000_000_000}, "token_ends"),
            ({"scopes": ["pages_messaging"]}, "permission_missing"),
        ):
            assert self.examine(platform, token={"data": GOOD_TOKEN | changes}) == [code]

    def test_a_call_that_fails_is_a_finding_and_the_rest_goes_on(self, platform: Stub) -> None:
        refuse(platform, 190)
        platform.will_answer(200, {"data": GOOD_TOKEN})
        platform.will_answer(200, {"data": []})
        found = MESSENGER.examine(CONNECTION, URL, platform.http())
        assert [finding.code for finding in found] == ["secret_wrong", "not_subscribed"]
