"""The page on which a colleague takes a conversation: on a phone, by keyboard, without a script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from infra.bundle import load
from infra.engine.template import ROOT
from infra.local_desk import SLACK_PATH
from sportello.services.notice_words import Item, Notice
from sportello.services.reply import look
from sportello.services.take_page import take_page
from sportello.services.taking import Waiting
from tests.browser.test_access import LEAST, LOOKS, violations
from tests.e2e.stage import Customer, Stage, wait_for

PICTURES = ROOT / ".local" / "browser" / "take"


class Colleague:
    """Somebody's browser, as its context is set."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def colleagues(the_desk: Stage, browser: Browser) -> Iterator[Any]:
    the_desk.use()
    the_desk.desk.client.clear()
    the_desk.at("2026-12-09 20:15")
    made: list[Colleague] = []

    def come(**more: Any) -> Colleague:
        settings: dict[str, Any] = {"locale": "it-IT", "java_script_enabled": False} | more
        made.append(Colleague(browser.new_context(**settings)))
        return made[-1]

    yield come
    for one in made:
        one.context.close()
        assert one.errors == []


@pytest.fixture
def called(the_desk: Stage, colleagues: Any) -> tuple[Customer, str]:
    """A customer who needs somebody, and the link of the notice."""
    customer = the_desk.customer("whatsapp")
    customer.say("URGENTE! Il pacco con il regalo non è arrivato e domani partiamo. Che cosa devo fare?")
    wait_for(lambda: len(customer.posts()) == 1, "Slack")
    posts = [post for post in the_desk.desk.client.slack()[SLACK_PATH] if customer.name in post.text]
    (block,) = [block for block in posts[-1].payload["blocks"] if block["type"] == "actions"]
    return customer, block["elements"][0]["url"]


@pytest.mark.parametrize("look_", LOOKS)
def test_axe_finds_nothing(called: tuple[Customer, str], colleagues: Any, look_: str) -> None:
    _, url = called
    colleague = colleagues(java_script_enabled=True, **LOOKS[look_])  # axe is a script itself
    page = colleague.page
    page.goto(url)
    colleague.picture(look_)
    assert violations(page) == []
    page.get_by_label("Chi la prende?").fill("Anna")
    page.get_by_role("button").last.click()
    expect(page.get_by_role("status")).to_have_text("Ora se ne occupa Anna.")
    colleague.picture(f"{look_} taken")
    assert violations(page) == []
    page.goto(url)
    colleague.picture(f"{look_} held")
    assert violations(page) == []
    page.goto(url[:-4] + "AAAA")
    expect(page.get_by_role("heading")).to_have_text("Questo link non funziona")
    colleague.errors.clear()  # the browser reports the 404
    colleague.picture(f"{look_} gone")
    assert violations(page) == []


def test_without_a_script_by_keyboard_alone(called: tuple[Customer, str], colleagues: Any) -> None:
    customer, url = called
    colleague = colleagues()
    colleague.page.goto(url)
    colleague.page.keyboard.press("Tab")
    colleague.page.keyboard.type("Anna")
    colleague.page.keyboard.press("Enter")
    expect(colleague.page.get_by_role("status")).to_have_text("Ora se ne occupa Anna.")
    assert look(customer.thread.id).thread.claimed_by == "Anna"


def test_the_second_sees_the_first_and_may_take_it_over(
    called: tuple[Customer, str], colleagues: Any
) -> None:
    customer, url = called
    anna, bruno = colleagues(), colleagues()
    for one in (anna, bruno):
        one.page.goto(url)
    _sign(anna.page, "Anna")
    _sign(bruno.page, "Bruno")
    expect(bruno.page.get_by_role("alert")).to_have_text("Anna ha fatto prima.")
    bruno.errors.clear()  # the browser reports the 409
    bruno.picture("second")
    assert look(customer.thread.id).thread.claimed_by == "Anna"
    _sign(bruno.page, "Bruno")
    expect(bruno.page.get_by_role("status")).to_have_text("Ora se ne occupa Bruno.")
    assert look(customer.thread.id).thread.claimed_by == "Bruno"


def _sign(page: Page, name: str) -> None:
    page.get_by_role("textbox").fill(name)
    page.get_by_role("button").last.click()


def test_what_is_touched_is_large_enough_and_nothing_sticks_out(
    called: tuple[Customer, str], colleagues: Any
) -> None:
    _, url = called
    page = colleagues(**LOOKS["phone"]).page
    page.goto(url)
    for target in page.locator("button, input[type=text]").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= LEAST
    assert page.locator("html").evaluate("one => one.scrollWidth") <= 360


@pytest.mark.parametrize("look_", LOOKS)
def test_axe_finds_nothing_where_people_are_listed(colleagues: Any, look_: str) -> None:
    """An incident of a team with names, as the page is written; the policy is not what is looked at."""
    words = load(ROOT / "templates").texts.notifications["it"].console
    notice = Notice(
        title="Sportello: 23 conversazioni in 10 minuti: i clienti protestano, in pubblico",
        lines=(("Squadra", "care"), ("In attesa da", "oggi alle 20:15")),
        items=tuple(
            Item(f"Customer {number} · Instagram · oggi alle 20:15\nChe vergogna!") for number in range(3)
        ),
    )
    waiting = Waiting(notice, ("anna", "bruno", "maria-grazia"), conversations=41)
    colleague = colleagues(java_script_enabled=True, **LOOKS[look_])
    colleague.page.set_content(take_page("it", words, waiting, "token", since=""))
    colleague.picture(f"{look_} incident")
    assert violations(colleague.page) == []
    for button in colleague.page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["height"], box["width"]) >= LEAST


def test_another_site_cannot_press_the_button(
    called: tuple[Customer, str], colleagues: Any, tmp_path: Path
) -> None:
    """Even one that has the link: the browser says that the form stood elsewhere."""
    customer, url = called
    token = url.rpartition("/")[2]
    trap = tmp_path / "trap.html"
    trap.write_text(
        f'<form method="post" action="{url}"><input name="token" value="{token}"><input name="over">'
        '<input name="name" value="Mallory"><button>Win</button></form>'
    )
    colleague = colleagues()
    colleague.page.goto(trap.as_uri())
    colleague.page.get_by_role("button").click()
    expect(colleague.page.get_by_role("main")).to_contain_text("non viene da questa pagina")
    colleague.errors.clear()  # the browser reports the 403
    assert look(customer.thread.id).thread.claimed_by == ""
