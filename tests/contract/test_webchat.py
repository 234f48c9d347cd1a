"""The chat on the site: tokens that prove who writes, and what of a body becomes a message."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from sportello.channels import webchat_tokens as tokens
from sportello.channels import webchat_wire as wire
from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.webchat import WebChat, caller
from sportello.channels.webchat_tokens import Visitor
from sportello.domain.events import Inbound, Kind

NOW = 1_800_000_000
SECRET = "fake-secret-of-the-site-0000000000000001"
OTHER = "fake-secret-of-another-site-000000000001"
VISITOR = Visitor("a:" + "0" * 32, NOW + 60, "One", "", "it", ("a:" + "1" * 32,))
CHANNEL = WebChat()
CONNECTION = Connection(name="main", secrets=(SECRET,), accounts=(Account(id="main"),))
ID = "5f0c2a34-8b7e-4c1d-9a6f-000000000001"


def jwt(
    claims: dict[str, Any] | bytes,
    secret: str = SECRET,
    header: dict[str, Any] | bytes = b'{"alg":"HS256","typ":"JWT"}',
) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    text = ".".join(encoded(part) for part in parts)
    return f"{text}.{encoded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def good(**more: Any) -> dict[str, Any]:
    return {"sub": "c-1", "exp": NOW + 600, **more}


def read(token: str, secrets: tuple[str, ...] = (SECRET,)) -> tokens.Identity | None:
    return tokens.read_identity(token, secrets, "main", NOW)


# --- visitors' tokens ---------------------------------------------------------------------------


def test_a_visitor_is_read_back_as_sealed() -> None:
    assert tokens.read_visitor(tokens.visitor_token(VISITOR, SECRET), (SECRET,), NOW) == VISITOR


def test_a_new_visitor_is_nobody_else() -> None:
    ids = {tokens.new_visitor(NOW).id for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(bytes.fromhex(id.removeprefix("a:"))) * 8 >= 128 for id in ids)


def test_a_token_ends_and_can_be_late_by_what_is_said() -> None:
    token = tokens.visitor_token(VISITOR, SECRET)
    assert tokens.read_visitor(token, (SECRET,), NOW + 59)
    assert tokens.read_visitor(token, (SECRET,), NOW + 60) is None
    assert tokens.read_visitor(token, (SECRET,), NOW + 159, late=100)
    assert tokens.read_visitor(token, (SECRET,), NOW + 160, late=100) is None


def test_every_changed_character_breaks_a_token() -> None:
    token = tokens.visitor_token(VISITOR, SECRET)
    for at in range(len(token)):
        for other in "A-_.b":
            changed = token[:at] + other + token[at + 1 :]
            assert changed == token or tokens.read_visitor(changed, (SECRET,), NOW) is None


def test_what_is_sealed_for_one_purpose_is_good_for_no_other() -> None:
    file = wire.File("t", "media/t/m/0", "a.txt", "text/plain", 5)
    ticket = wire.ticket(file, VISITOR, SECRET)
    assert wire.read_ticket(ticket, VISITOR, (SECRET,)) == file
    assert tokens.read_visitor(ticket, (SECRET,), NOW) is None
    assert tokens.read_visitor("v1" + ticket.removeprefix("f1"), (SECRET,), NOW) is None
    assert read(ticket) is None
    assert wire.read_ticket(tokens.visitor_token(VISITOR, SECRET), VISITOR, (SECRET,)) is None


def test_a_ticket_is_good_for_whom_it_was_given_to_and_who_they_were() -> None:
    file = wire.File("t", "media/t/m/0", "a.txt", "text/plain", 5)
    earlier = VISITOR._replace(id=VISITOR.earlier[0], earlier=())
    assert wire.read_ticket(wire.ticket(file, earlier, SECRET), VISITOR, (SECRET,)) == file
    assert wire.read_ticket(wire.ticket(file, VISITOR, SECRET), earlier, (SECRET,)) is None


# --- identity tokens ----------------------------------------------------------------------------


def test_an_identity_as_a_back_end_signs_it() -> None:
    found = read(jwt(good(name="Customer One", email="one@example.com", language="EN", iat=NOW, nbf=NOW)))
    assert found == tokens.Identity("c-1", NOW + 600, "Customer One", "one@example.com", "en")


def test_both_secrets_are_good_while_one_takes_the_others_place() -> None:
    assert read(jwt(good(), OTHER), (SECRET, OTHER))
    assert read(jwt(good(), SECRET), (SECRET, OTHER))
    assert read(jwt(good(), OTHER), (SECRET,)) is None


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_without_a_secret_nobody_is_anybody(secrets: tuple[str, ...]) -> None:
    assert read(jwt(good(), ""), secrets) is None
    assert tokens.read_visitor(tokens.visitor_token(VISITOR, ""), secrets, NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"}, {"alg": "None"}, {"alg": "hs256"}, {"alg": "HS384"}, {"alg": "RS256"}, {"alg": None},
        {"alg": ["HS256"]}, {"alg": "HS256", "crit": ["exp"]}, {"alg": "HS256", "b64": False}, {}, b"[]",
        b"{", b"", b'{"alg":"none","alg":"HS256"}',
    ],
)  # fmt: skip
def test_the_algorithm_is_not_the_tokens_to_choose(header: Any) -> None:
    assert read(jwt(good(), header=header)) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 600}, {"sub": "c-1"}, good(sub=""), good(sub=7), good(sub=["c-1"]), good(sub="x" * 129),
        good(sub="a\u2028b"), good(exp=NOW), good(exp=NOW - 1), good(exp=str(NOW + 600)), good(exp=True),
        good(exp=None), good(exp=NOW + 86_400 + 31), good(nbf=NOW + 31), good(iat=NOW + 31), good(nbf="x"),
        good(iat=None), good(aud="other"), good(aud=["other"]), good(aud=[]), good(aud=None),
        b"[]", b"null", b"{", b'{"sub":"c-1","exp":NaN}', b'{"sub":"c-1","exp":1e400}',
        b'{"sub":"c-2","exp":1800000600,"sub":"c-1"}', b"[" * 2000, b"\xff\xfe",
    ],
)  # fmt: skip
def test_claims_that_do_not_hold(claims: Any) -> None:
    assert read(jwt(claims)) is None


@pytest.mark.parametrize(
    "claims",
    [
        good(aud="main"),
        good(aud=["other", "main"]),
        good(exp=NOW + 86_400),
        good(exp=NOW + 600.5),
        good(nbf=NOW),
    ],
)
def test_claims_that_hold(claims: dict[str, Any]) -> None:
    assert read(jwt(claims)) is not None


def test_what_is_no_address_or_name_is_left_out() -> None:
    found = read(jwt(good(name="a\nb", email="nobody", language="italiano")))
    assert found == tokens.Identity("c-1", NOW + 600)


def test_a_signature_has_one_spelling() -> None:
    text, _, signature = jwt(good()).rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [signature[:-1] + other for other in alphabet] + [
        signature + "=",
        signature + "A",
        signature[:-1],
    ]
    assert [twin for twin in twins if read(f"{text}.{twin}")] == [signature]


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.c.d", "é.é.é", "\udcff.a.b", "x" * 5000, "v1.."]
)
def test_what_is_no_token(token: str) -> None:
    assert read(token) is None
    assert tokens.read_visitor(token, (SECRET,), NOW) is None
    request = Request(method="POST", path="/messages/main", headers={"authorization": f"Bearer {token}"})
    assert caller(request, CONNECTION) is None


@pytest.mark.parametrize("header", ["bearer ", "Basic ", "", "Bearer"])
def test_only_a_bearer_is_read(header: str) -> None:
    token = tokens.visitor_token(VISITOR._replace(expires=4_102_444_800), SECRET)
    request = Request(method="POST", path="/messages/main", headers={"authorization": f"{header}{token}"})
    assert not CHANNEL.verify(request, CONNECTION)


# --- messages -------------------------------------------------------------------------------------


def parse(body: Any, path: str = "/messages/main") -> Inbound:
    token = tokens.visitor_token(VISITOR._replace(expires=int(time.time()) + 60), SECRET)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method="POST", path=path, headers={"authorization": f"Bearer {token}"}, body=raw)
    (event,) = CHANNEL.parse(request, CONNECTION)
    assert isinstance(event, Inbound)
    return event


def test_who_writes_stands_in_the_token_and_never_in_the_body() -> None:
    event = parse({"client_message_id": ID, "text": "x"})
    assert (event.customer.id, event.customer.address) == (VISITOR.id, VISITOR.id)
    assert (event.customer.name, event.customer.language) == ("One", "it")
    with pytest.raises(Unparseable, match="unknown field"):
        parse({"client_message_id": ID, "text": "x", "customer": "u:c-1"})


def test_a_visitors_clock_is_not_asked() -> None:
    assert parse({"client_message_id": ID, "text": "x"}).time is None


def test_half_a_surrogate_pair_is_mended() -> None:
    assert parse(b'{"client_message_id":"%s","text":"a\\ud800b"}' % ID.encode()).text == "a\ufffdb"


def test_controls_and_direction_marks_go() -> None:
    event = parse({"client_message_id": ID, "text": "a\x00\x1b\u202e\u2066b\n\tc"})
    assert event.text == "ab\n\tc"


def test_the_longest_message() -> None:
    assert len(parse({"client_message_id": ID, "text": "x" * wire.TEXT_MOST}).text) == wire.TEXT_MOST
    with pytest.raises(Unparseable, match="text: over 4000 characters"):
        parse({"client_message_id": ID, "text": "x" * (wire.TEXT_MOST + 1)})


@pytest.mark.parametrize("id", ["", "x" * 15, "x" * 65, "ü" * 20, "a b" * 8, 7, None, "x" * 20 + "\n"])
def test_an_id_of_another_form(id: Any) -> None:
    with pytest.raises(Unparseable, match="client_message_id"):
        parse({"client_message_id": id, "text": "x"})


@pytest.mark.parametrize("button", [{}, {"id": ""}, {"id": 1}, {"id": "x" * 201}, {"id": "é"}, [], 1])
def test_a_button_of_another_form(button: Any) -> None:
    with pytest.raises(Unparseable, match="button"):
        parse({"client_message_id": ID, "button": button})


def test_a_contact_is_no_question() -> None:
    event = parse({"email": " one@example.com ", "name": "  One  Two "}, "/contact/main")
    assert (event.kind, event.detail, event.cards[0].emails) == (
        Kind.SERVICE,
        "contact",
        ("one@example.com",),
    )
    assert event.cards[0].name == "One Two"
    assert parse({"email": "one@example.com", "name": "One Two"}, "/contact/main").id == event.id


@pytest.mark.parametrize("path", ["/main", "/", "", "/session/main", "/messages", "/messages/main/x"])
def test_only_two_routes_bring_events(path: str) -> None:
    with pytest.raises(Unparseable):
        parse({"client_message_id": ID, "text": "x"}, path)


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\b", "a\nb", "\u202efdp.exe", ""])
def test_a_files_name_is_one_name(name: str) -> None:
    body = {"client_message_id": ID, "number": 0, "name": name, "type": "text/plain", "size": 1}
    found = wire.read_upload(json.dumps(body).encode()).name
    assert found
    assert not set(found) & set("/\\\n\u202e")


def test_nothing_that_a_browser_runs_is_taken() -> None:
    active = {"text/html", "image/svg+xml", "text/javascript", "application/xhtml+xml", "text/xml"}
    assert not active & set(wire.FILE_TYPES)
