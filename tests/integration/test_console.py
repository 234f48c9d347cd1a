"""The page on which a conversation is taken: looking changes nothing, and only its own form acts."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from sportello.aws import secrets
from sportello.aws.console_key import ConsoleKey
from sportello.aws.outbox import Address
from sportello.aws.secrets import SecretsUnavailable
from sportello.console import console
from sportello.domain.model import MINUTE, SECOND
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, OnCall, Person, Target
from sportello.domain.take_link import LASTS, TakeLink, token_of
from sportello.services import reply
from tests.integration import faults as fault
from tests.integration.desk_people import SECRET, People, address_in, together, token_in
from tests.integration.faults import Faults
from tests.integration.stage import OPEN, Stage, everything, inbound, raw_scan, real_now, thread_id

HOST = "abc.lambda-url.eu-south-1.on.aws"
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Forms(HTMLParser):
    """The page as a browser without scripts sees it: fields and buttons of its forms, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.people: list[str] = []
        self.text = ""
        self.forms = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.forms += tag == "form"
        if given.get("type") == "hidden":
            self.hidden[given["name"]] = given["value"]
        if tag == "button" and "name" in given:
            self.people.append(given["value"])

    def handle_data(self, data: str) -> None:
        self.text += f" {' '.join(data.split())}" if data.strip() else ""


class Console:
    """A colleague's browser."""

    def __init__(self, people: People, handler: Handler) -> None:
        self.people, self.handler = people, handler

    def call(self, method: str, token: str, body: str = "", **headers: str) -> dict[str, Any]:
        given = {
            "host": HOST,
            "accept-language": "it",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        event = {
            "rawPath": f"/take/{token}",
            "headers": given,
            "requestContext": {"http": {"method": method}, "domainName": HOST},
            "body": body,
        }
        return self.handler(event, None)

    def get(self, token: str, **headers: str) -> dict[str, Any]:
        return self.call("GET", token, **headers)

    def post(self, token: str, fields: dict[str, str], **headers: str) -> dict[str, Any]:
        sent = {
            "content_type": "application/x-www-form-urlencoded",
            "origin": f"https://{HOST}",
            "sec_fetch_site": "same-origin",
            **headers,
        }
        return self.call("POST", token, urlencode(fields), **{k: v for k, v in sent.items() if v})

    def take(self, token: str, **fields: str) -> dict[str, Any]:
        """As the page's form does that was just looked at."""
        shown = Forms(self.get(token)["body"])
        return self.post(token, shown.hidden | fields)


@pytest.fixture
def people(stage: Stage, aws: Faults) -> People:
    fields: dict[str, Any] = {
        "people": {
            "anna": Person(teams=("care",), tell=(Target(slack="anna"),)),
            "bruno": Person(teams=("care",)),
            "carla": Person(teams=("care",), leave=("2026 Nov 20-30",)),
        },
        "escalation": Escalation(
            levels=(Level(tell=("team",)), Level(tell=("on_call",))),
            on_call=(OnCall(who="anna", when="Mo-Su 18:00-09:00"),),
            incident_calls=3,
        ),
    }
    stage.desk = stage.desk.model_copy(update=fields)
    stage.use()
    return People(stage, aws)


@pytest.fixture
def page(people: People, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr("sportello.console.now", lambda: people.stage.now)
    monkeypatch.setattr(secrets, "read_secrets", lambda folder: {"key": SECRET.decode()})
    return Console(people, console())


def called(people: People, text: str = "URGENTE: dov'è il mio pacco?") -> str:
    """A customer has called for somebody; the token of the notice."""
    people.stage.take(inbound(text, at=OPEN))
    people.stage.now = OPEN + MINUTE
    (row,) = [row for row in _rows() if "whys" in row]
    people.notify(Address(row["PK"]["S"][2:], row["SK"]["S"]))
    return token_in(people.slack.links()[-1])


def _rows() -> list[dict[str, Any]]:
    return list(raw_scan())


def thread() -> Any:
    return reply.look(thread_id()).thread


# --- looking --------------------------------------------------------------------------------------


def test_the_page_tells_what_waits(people: People, page: Console) -> None:
    token = called(people)
    answer = page.get(token)
    shown = Forms(answer["body"])
    assert answer["statusCode"] == 200
    for words in ("Customer One", "URGENTE: dov'è il mio pacco?", "sembra urgente", "oggi alle 10:00"):
        assert words in shown.text
    assert "Non ce l'ha ancora nessuno." in shown.text
    assert shown.people == ["anna", "bruno"], "Carla is on leave"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing_however_often(people: People, page: Console, method: str) -> None:
    token, before = called(people), None
    for _ in range(5):
        before = before or everything()
        answer = page.call(method, token)
        assert answer["statusCode"] == 200
        assert bool(answer["body"]) == (method == "GET")
    assert everything() == before


def test_the_page_forbids_what_it_does_not_need(people: People, page: Console) -> None:
    headers = page.get(called(people))["headers"]
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-robots-tag"] == "noindex"


def test_what_a_customer_writes_is_text(people: People, page: Console) -> None:
    html = page.get(called(people, 'URGENTE <script>alert(1)</script> "><img src=x> &lt;'))["body"]
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "&amp;lt;" in html


def test_in_the_language_of_the_browser_among_the_desks(people: People, page: Console) -> None:
    token = called(people)
    english = page.get(token, accept_language="en-GB,en;q=0.9")
    assert 'lang="en"' in english["body"]
    assert "Nobody has it yet." in english["body"]
    assert "today at 10:00" in english["body"]
    assert english["headers"]["content-language"] == "en"
    assert 'lang="it"' in page.get(token, accept_language="tlh")["body"]


# --- taking ---------------------------------------------------------------------------------------


def test_one_tap_takes_it(people: People, page: Console) -> None:
    token = called(people)
    answer = page.take(token, person="anna")
    assert answer["statusCode"] == 200
    assert "Ora se ne occupa anna." in Forms(answer["body"]).text
    assert Forms(answer["body"]).forms == 0
    assert thread().claimed_by == "anna"
    assert thread().owes, "taking is no answer"


def test_after_it_nobody_is_paged(people: People, page: Console) -> None:
    token = called(people)
    page.take(token, person="anna")
    (row,) = [row for row in _rows() if "whys" in row]
    address = Address(row["PK"]["S"][2:], row["SK"]["S"])
    people.further(address, Reason.UNACKNOWLEDGED, level=2)
    assert people.notify(address) == "taken"


@pytest.mark.parametrize(
    ("typed", "by"),
    [("  Dora   Rossi ", "Dora Rossi"), ("ANNA", "anna"), ("Ωmega", "Ωmega"), ("x" * 20, "x" * 20)],
)
def test_somebody_else_writes_a_name(people: People, page: Console, typed: str, by: str) -> None:
    token = called(people)
    assert page.take(token, name=typed)["statusCode"] == 200
    assert thread().claimed_by == by


@pytest.mark.parametrize("typed", ["", "   ", "x" * 21, "a\x00b", "a\u202eb"])
def test_a_name_that_is_none_takes_nothing(people: People, page: Console, typed: str) -> None:
    token = called(people)
    answer = page.take(token, name=typed)
    assert answer["statusCode"] == 400
    assert "Scrivi un nome" in Forms(answer["body"]).text
    assert thread().claimed_by == ""


def test_the_second_sees_who_has_it_and_may_take_it_over(people: People, page: Console) -> None:
    token = called(people)
    late = Forms(page.get(token)["body"])
    page.take(token, person="anna")
    people.stage.now += 42 * MINUTE
    answer = page.post(token, late.hidden | {"person": "bruno"})
    assert answer["statusCode"] == 409
    assert "anna ha fatto prima." in Forms(answer["body"]).text
    assert "anna se ne occupa (da: oggi alle 10:01)." in Forms(answer["body"]).text
    assert thread().claimed_by == "anna"
    assert page.post(token, Forms(answer["body"]).hidden | {"person": "bruno"})["statusCode"] == 200
    assert thread().claimed_by == "bruno"


def test_taking_it_over_names_from_whom(people: People, page: Console) -> None:
    """Bruno saw that Anna had it; meanwhile Dora has taken it from her."""
    token = called(people)
    page.take(token, person="anna")
    late = Forms(page.get(token)["body"])
    page.take(token, name="Dora")
    assert page.post(token, late.hidden | {"person": "bruno"})["statusCode"] == 409
    assert thread().claimed_by == "Dora"


def test_two_at_the_same_moment_one_has_it(people: People, page: Console, aws: Faults) -> None:
    token = called(people)
    form = Forms(page.get(token)["body"]).hidden
    aws.between(lambda: page.post(token, form | {"person": "bruno"}))
    assert page.post(token, form | {"person": "anna"})["statusCode"] == 409
    assert thread().claimed_by == "bruno"


def test_the_same_tap_twice_is_one(people: People, page: Console) -> None:
    token = called(people)
    form = Forms(page.get(token)["body"]).hidden | {"person": "anna"}
    assert [page.post(token, form)["statusCode"] for _ in range(2)] == [200, 200]


def test_what_was_answered_is_no_more_to_be_taken_and_shows_no_words(people: People, page: Console) -> None:
    token = called(people)
    form = Forms(page.get(token)["body"]).hidden
    reply.reply(people.stage.person(), thread_id(), "Il pacco parte oggi.")
    for answer in (page.get(token), page.post(token, form | {"person": "anna"})):
        assert answer["statusCode"] == 200
        assert "Ha già avuto risposta" in answer["body"]
        assert "URGENTE" not in answer["body"]
        assert "Customer One" not in answer["body"]
    assert thread().claimed_by == ""


# --- an incident ----------------------------------------------------------------------------------


def test_an_incident_is_taken_as_a_whole(people: People, page: Console) -> None:
    addresses = [people.calls(number, Reason.ANGRY) for number in range(5)]
    for address in addresses:
        people.notify(address)
    (row,) = together("I#n#")
    people.notify(address_in(row))
    token = token_in(people.slack.links()[-1])
    shown = Forms(page.get(token)["body"])
    assert "5 conversazioni simili" in shown.text
    assert "First words of 1" in shown.text
    assert page.take(token, person="anna")["statusCode"] == 200
    (row,) = together("I#n#")
    assert row["taken_by"] == "anna"
    assert all(reply.look(address.thread).thread.claimed_by == "" for address in addresses)
    assert page.post(token, shown.hidden | {"person": "bruno"})["statusCode"] == 409
    assert page.take(token, person="bruno")["statusCode"] == 200
    people.further(addresses[4], Reason.UNACKNOWLEDGED, level=2)
    told = len(people.slack.told)
    people.notify(addresses[4])
    people.notify(address_in(row))
    assert len(people.slack.told) == told


# --- who may not ----------------------------------------------------------------------------------


def forged(kind: str, token: str) -> str:
    link = TakeLink(thread_id(), "M#0~call", "slack-care", real_now() + LASTS)
    return {
        "nothing": "",
        "garbage": "not-a-token",
        "bent": ("B" if token[0] == "A" else "A") + token[1:],
        "another key": token_of(link, b"another"),
        "too old": token_of(link._replace(expires=real_now() - SECOND), SECRET),
        "no such call": token_of(link, SECRET),
        "no such thread": token_of(link._replace(thread="a" * 26), SECRET),
        "no such incident": token_of(link._replace(key="I#n#0#late-private"), SECRET),
        "deeper": f"{token}/more",
    }[kind]


KINDS = ("nothing", "garbage", "bent", "another key", "too old", "no such call", "no such thread",
         "no such incident", "deeper")  # fmt: skip


def test_whatever_is_wrong_with_a_link_is_answered_alike(people: People, page: Console) -> None:
    token = called(people)
    before = everything()
    answers = [page.get(forged(kind, token)) for kind in KINDS]
    answers += [
        page.post(forged(kind, token), {"token": forged(kind, token), "person": "anna"}) for kind in KINDS
    ]
    assert {answer["statusCode"] for answer in answers} == {404}
    assert len({answer["body"] for answer in answers}) == 1
    assert len({json.dumps(answer["headers"]) for answer in answers}) == 1
    assert everything() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "", "origin": "https://evil.example"},
        {"sec_fetch_site": "", "origin": "null"},
        {"sec_fetch_site": "", "origin": ""},
        {"content_type": "text/plain"},
        {"content_type": "application/json"},
    ],
)
def test_only_the_pages_own_form_acts(people: People, page: Console, headers: dict[str, str]) -> None:
    token = called(people)
    form = Forms(page.get(token)["body"]).hidden
    assert page.post(token, form | {"person": "anna"}, **headers)["statusCode"] == 403
    assert thread().claimed_by == ""


def test_an_older_browser_that_names_its_origin_may(people: People, page: Console) -> None:
    token = called(people)
    form = Forms(page.get(token)["body"]).hidden
    assert page.post(token, form | {"person": "anna"}, sec_fetch_site="")["statusCode"] == 200


@pytest.mark.parametrize("given", ["", "another", None])
def test_the_form_carries_the_token_too(people: People, page: Console, given: str | None) -> None:
    token = called(people)
    fields = {"person": "anna", "over": ""} | ({} if given is None else {"token": given})
    assert page.post(token, fields)["statusCode"] == 403
    assert thread().claimed_by == ""


def test_too_much_is_not_read(people: People, page: Console) -> None:
    token = called(people)
    assert page.post(token, {"token": token, "name": "x" * 5000})["statusCode"] == 413
    many = {f"field{number}": "x" for number in range(50)}
    assert page.post(token, {"token": token, "person": "anna"} | many)["statusCode"] == 403
    assert thread().claimed_by == ""


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_do_nothing(people: People, page: Console, method: str) -> None:
    answer = page.call(method, called(people))
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, "GET, HEAD, POST")


def test_the_log_holds_no_token_name_or_word(people: People, page: Console, log: StringIO) -> None:
    token = called(people)
    log.truncate(0)
    page.get(token)
    page.take(token, name="Dora")
    page.post("garbage", {"token": "garbage", "person": "anna"})
    written = log.getvalue()
    assert '"outcome":"taken"' in written
    for word in (token, "Dora", "URGENTE", "Customer One", "garbage"):
        assert word not in written


def test_where_the_table_or_the_key_cannot_be_read_they_are_asked_to_try_again(
    people: People, page: Console, aws: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = called(people)
    aws.inject("dynamodb.BatchGetItem", fault.broken, times=9)
    assert page.get(token)["statusCode"] == 503

    def unavailable(folder: str) -> dict[str, str]:
        raise SecretsUnavailable("SSM answered 500")

    monkeypatch.setattr(secrets, "read_secrets", unavailable)
    fresh = Console(people, console())
    assert fresh.get(token)["statusCode"] == 503
    assert "Riprova tra poco" in fresh.get(token)["body"]


# --- its key --------------------------------------------------------------------------------------


class Ssm:
    """One parameter, and who has made it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.value, self.made = "", 0
        monkeypatch.setattr(secrets, "read_secrets", self.read)
        monkeypatch.setattr("sportello.aws.console_key.clients.session", lambda: self)

    def client(self, name: str) -> "Ssm":
        assert name == "ssm"
        return self

    def read(self, folder: str) -> dict[str, str]:
        assert folder == "console"
        return {"key": self.value} if self.value else {}

    def put_parameter(self, **given: Any) -> None:
        assert (given["Name"], given["Type"]) == ("/sportello/console/key", "SecureString")
        assert given["Overwrite"] is False
        self.made += 1
        if not self.value:
            self.value = given["Value"]
            return
        raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")


def test_the_first_notice_makes_the_key_and_nobody_another(
    aws: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = Ssm(monkeypatch)
    first = ConsoleKey()
    key = first.signing()
    assert len(key) >= 43
    assert (first.signing(), ssm.made) == (key, 1)
    assert ConsoleKey().signing() == key
    assert ssm.made == 1


def test_whoever_comes_second_takes_the_firsts(aws: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = Ssm(monkeypatch)
    late = ConsoleKey()
    assert late.good() == ()
    early = ConsoleKey().signing()
    assert late.signing() == early
    assert ssm.made == 2


def test_several_keys_are_good_and_the_first_signs(aws: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    Ssm(monkeypatch).value = "new old"
    assert (ConsoleKey().signing(), ConsoleKey().good()) == (b"new", (b"new", b"old"))
