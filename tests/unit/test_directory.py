"""The public page: hours now and next, the ways in, for people and for programs."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.bundle import write
from infra.engine.template import ROOT
from sportello.domain.desk import Served
from sportello.domain.directory import Way
from sportello.domain.hours_words import opening_in_words
from sportello.domain.model import HOUR, SECOND
from sportello.domain.staff import ClosedOrSpecial, Team
from sportello.services import desk as seam
from tests.unit.locales import LOCALES, in_all_languages, lean_copy
from tests.unit.public_page import EVENING, MORNING, ROME, TELL, WAYS, at, facts, get, use


@pytest.fixture(autouse=True)
def desk() -> Iterator[None]:
    """WhatsApp is open longer, a Telegram account on Saturdays, the team for returns less."""
    use()
    yield
    seam.use(None)


class Outline(HTMLParser):
    """Elements that are opened and closed, and what a browser would do because of them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, Mapping[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> list[tuple[str, Mapping[str, str | None]]]:
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


# --- the page ---------------------------------------------------------------------------------


def test_closed_in_the_evening() -> None:
    page = get()["body"]
    assert (
        '<p class="state closed"><strong>Ora siamo chiusi</strong><br>\nApriamo domani alle 9:00</p>' in page
    )
    assert "<p>lun–gio 9:00–13:00, 14:00–18:00; ven 25 dicembre chiuso (festivo)</p>" in page
    assert '<tr aria-current="date"><th scope="row">lun 21 dicembre (Oggi)</th>' in page
    assert page.count("<tr") == 8
    assert "Le ore sono quelle di Europe/Rome." in page


def test_open_in_the_morning() -> None:
    page = get(at=MORNING)["body"]
    assert (
        '<p class="state open"><strong>Ora siamo aperti</strong><br>\nChiudiamo oggi alle 13:00</p>' in page
    )


def test_always_open() -> None:
    use(hours="24/7", teams={"care": Team(tell=TELL)}, channels={}, accounts=())
    assert "<strong>Ora siamo aperti</strong><br>\nSempre aperto</p>" in get()["body"]


def test_days_that_differ_are_named() -> None:
    special = ClosedOrSpecial(dates="Dec 24", hours="09:00-13:00", name={"it": "vigilia & <altro>"})
    use(exceptions=(special,))
    page = get()["body"]
    name = '<span class="soft">vigilia &amp; &lt;altro&gt;</span>'
    assert f'<th scope="row">gio 24 dicembre</th><td>9:00–13:00 {name}' in page
    assert '<th scope="row">ven 25 dicembre</th><td>chiuso <span class="soft">festivo</span></td>' in page


def test_the_ways_in_stand_in_the_care_leads_order_with_hours_that_differ() -> None:
    page = get()["body"]
    links = [(dict(attrs)["href"], attrs.get("rel")) for tag, attrs in outline(page) if tag == "a"]
    ways = [link for link in links if link[1] == "nofollow"]
    assert [link for link, _ in ways] == [way.link for way in WAYS]
    whatsapp, email, telegram = re.findall(r'<li><a href="[^"]+" rel="nofollow">(.*?)</li>', page)
    assert whatsapp == 'WhatsApp</a><p class="soft">aperto, chiude oggi alle 22:00</p>'
    assert email == "e-mail</a>"
    assert telegram == 'Bot</a><p class="soft">chiuso, apre sabato alle 10:00</p>'


def test_hours_of_channels_accounts_and_teams_that_differ() -> None:
    page = get()["body"]
    others = page[page.index('<h2 id="others">') :]
    assert re.findall("<h3>(.*?)</h3>", others) == ["WhatsApp", "Bot", "returns"]
    assert "<p>sab 26 dicembre" not in others
    use(ways=(), channels={}, accounts=(), teams={"care": Team(tell=TELL)})
    page = get()["body"]
    assert 'id="others"' not in page
    assert 'id="ways"' not in page


def test_the_first_teams_hours_are_the_main_ones() -> None:
    """It takes what is about nothing special: what its customers are told stands on top."""
    use(teams={"care": Team(tell=TELL, hours="Mo-Fr 11:00-12:00")}, channels={}, accounts=())
    assert "Apriamo domani alle 11:00" in get()["body"]
    assert facts()["opens_at"] == "2026-12-22T11:00:00+01:00"
    assert facts()["teams"] == []


def test_the_team_that_will_answer_tells_its_hours() -> None:
    """The account's before the channel's, the channel's before the first."""
    returns = Served(channel="telegram", account="care_bot", team="returns")
    use(channels={"email": Served(team="returns"), "telegram": Served(team="care")}, accounts=(returns,))
    whatsapp, email, telegram = facts()["ways"]
    assert whatsapp["opens_at"] == "2026-12-22T09:00:00+01:00"
    assert email["opens_at"] == telegram["opens_at"] == "2026-12-22T10:00:00+01:00"


@pytest.mark.parametrize("language", LOCALES)
def test_every_language(language: str) -> None:
    answer = get(query=f"lang={language}")
    words = in_all_languages(EVENING).texts
    assert answer["headers"]["content-language"] == language
    assert f'<html lang="{language}">' in answer["body"]
    opening = opening_in_words(at("2026-12-22T09:00"), EVENING, ROME, words.calendar[language])
    assert words.directory[language].opens.format(opening=opening) in unescape(answer["body"])
    assert outline(answer["body"])


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("", "", "it"),
        ("lang=en", "ru", "en"),
        ("lang=pt-BR", "", "pt"),
        ("lang=xx", "de", "de"),
        ("lang=<script>", "", "it"),
        ("lang=en&lang=de", "", "en"),
        ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("", "sv, en;q=0.8, de;q=0.9", "de"),
        ("", "en;q=0, fr", "fr"),
        ("", "en;q=0, *", "it"),
        ("", "en;q=x", "it"),
        ("", ";;;,,q=1", "it"),
    ],
)
def test_the_language_that_is_asked_for(query: str, accepted: str, language: str) -> None:
    assert get(query=query, Accept_Language=accepted)["headers"]["content-language"] == language


def test_what_a_care_lead_writes_is_text() -> None:
    """A name is shown as it was written, and cannot become markup or leave its attribute."""
    evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;${name}{{ 7*7 }}"
    way = Way(channel="whatsapp", link='https://example.com/?"><script>', name={"it": evil})
    special = ClosedOrSpecial(dates="Dec 24", name={"it": evil})
    use(name=evil, ways=(way,), exceptions=(special,), channels={}, accounts=())
    page = get()["body"]
    tags = {tag for tag, _ in outline(page)}
    assert tags.isdisjoint({"script", "img"})
    assert page.count(escape(evil)) >= 4
    assert not [name for _, attrs in outline(page) for name in attrs if name.startswith("on")]
    assert json.loads(get("/hours.json")["body"])["name"] == evil


# --- without anything else --------------------------------------------------------------------


def test_nothing_is_fetched_and_nothing_runs() -> None:
    answer = get()
    seen = outline(answer["body"])
    assert {tag for tag, _ in seen}.isdisjoint(
        {"script", "img", "iframe", "object", "form", "base", "source"}
    )
    assert [attrs["href"] for tag, attrs in seen if tag == "link"] == ["data:,", "hours.json?lang=it"]
    assert not re.search(r"@import|url\(", answer["body"])
    policy = answer["headers"]["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/]{43}=';", policy)
    assert "form-action 'none'; frame-ancestors 'none'" in policy
    assert not [attrs for _, attrs in seen if "style" in attrs]


def test_the_policy_allows_the_very_style_of_the_page() -> None:
    style = re.search(r"<style>(.*?)</style>", get()["body"], re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in get()["headers"]["content-security-policy"]


def test_the_page_needs_no_aws(tmp_path: Path) -> None:
    """A process of its own, with neither boto3 nor Jinja nor Powertools."""
    write(lean_copy(tmp_path / "templates"), tmp_path / "built")
    program = (
        "import sys\nfrom pathlib import Path\nfrom sportello.services import desk\n"
        f"desk.FOLDER = Path({str(tmp_path / 'built')!r})\n"
        "from sportello.directory import directory\n"
        "handler = directory()\n"
        "answer = handler({'rawPath': '/'}, None)\n"
        "assert answer['statusCode'] == 200 and '<main>' in answer['body']\n"
        "print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "layers" / "core")},
    )
    assert run.stderr == ""
    loaded = set(run.stdout.split())
    assert {"sportello", "opening_hours", "pydantic"} <= loaded
    assert loaded.isdisjoint(
        {"boto3", "botocore", "jinja2", "aws_lambda_powertools", "urllib3", "yaml", "infra"}
    )


# --- HTTP -------------------------------------------------------------------------------------


def test_what_is_not_there() -> None:
    for path in ("/nothing", "/hours.json/", "/favicon.ico", "//", "/../etc/passwd"):
        assert get(path)["statusCode"] == 404
        assert get(path, method="POST")["statusCode"] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/hours.json"])
def test_what_is_not_allowed(path: str, method: str) -> None:
    answer = get(path, method=method)
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/hours.json"])
def test_head_is_get_without_a_body(path: str) -> None:
    full, head = get(path), get(path, method="HEAD")
    assert head["statusCode"] == 200
    assert head["headers"] == full["headers"]
    assert head["body"] == ""
    assert full["body"]


@pytest.mark.parametrize("path", ["/", "/hours.json"])
def test_what_a_browser_has_is_not_sent_again(path: str) -> None:
    etag = get(path)["headers"]["etag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = get(path, If_None_Match=known)
        assert (answer["statusCode"], answer["body"]) == (304, "")
        assert answer["headers"]["etag"] == etag
        assert answer["headers"]["cache-control"] == "public, max-age=60"
    assert get(path, If_None_Match='"other"')["statusCode"] == 200
    assert get(path, at=EVENING + 30 * SECOND)["headers"]["etag"] == etag
    assert get(path, at=EVENING + 14 * HOUR)["headers"]["etag"] != etag
    assert get(path, "lang=en")["headers"]["etag"] != etag


def test_an_open_desk_is_not_shown_after_it_has_closed() -> None:
    closing = at("2026-12-21T13:00")
    assert get(at=closing - 20 * SECOND)["headers"]["cache-control"] == "public, max-age=20"
    assert get(at=closing - HOUR)["headers"]["cache-control"] == "public, max-age=60"
    assert get(at=closing)["headers"]["cache-control"] == "public, max-age=60"
    whatsapp_closes = at("2026-12-21T22:00")
    assert get(at=whatsapp_closes - 5 * SECOND)["headers"]["cache-control"] == "public, max-age=5"


def test_headers() -> None:
    page, data = get()["headers"], get("/hours.json")["headers"]
    assert page["content-type"] == "text/html; charset=utf-8"
    assert data["content-type"] == "application/json; charset=utf-8"
    assert data["access-control-allow-origin"] == "*"
    for headers in (page, data):
        assert headers["vary"] == "accept-language"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
