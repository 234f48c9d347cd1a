"""The public page in a real browser: for eyes, keyboards, screen readers, and without style."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import MILLISECONDS
from tests.browser.conftest import EVENING, MORNING, PICTURES
from tests.browser.test_access import LEAST, LOOKS, violations
from tests.e2e.stage import Stage


class Visit:
    """A browser on the page, which keeps what it complains of and what it asks for."""

    def __init__(self, browser: Browser, address: str, **more: Any) -> None:
        self.context = browser.new_context(
            **{"locale": "it-IT", "viewport": {"width": 900, "height": 900}} | more
        )
        self.context.set_default_timeout(MILLISECONDS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(address)

    def picture(self, name: str) -> None:
        (PICTURES / "directory").mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / "directory" / f"{name}.png", full_page=True)


@pytest.fixture
def address(the_desk: Stage) -> str:
    the_desk.use()
    the_desk.at(EVENING)
    return the_desk.desk.deployed.outputs["DirectoryUrl"].rstrip("/") + "/"


@pytest.fixture
def visits(browser: Browser, address: str) -> Iterator[list[Visit]]:
    made: list[Visit] = []
    yield made
    for visit in made:
        visit.context.close()
        assert visit.complaints == []
        assert {url.split("?")[0] for url in visit.requests} <= {address}


def come(visits: list[Visit], browser: Browser, address: str, **more: Any) -> Visit:
    visits.append(Visit(browser, address, **more))
    return visits[-1]


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(visits: list[Visit], browser: Browser, address: str, look: str) -> None:
    visit = come(
        visits, browser, address, **LOOKS[look], bypass_csp=True
    )  # axe is a script: the page has none
    visit.picture(look)
    assert violations(visit.page) == []


def test_closed_then_open(visits: list[Visit], browser: Browser, address: str, the_desk: Stage) -> None:
    visit = come(visits, browser, address)
    expect(visit.page.get_by_role("main")).to_contain_text("Ora siamo chiusi Apriamo domani alle 9:00")
    expect(visit.page.get_by_role("row")).to_have_count(8)
    the_desk.at(MORNING)
    visit.page.reload()
    expect(visit.page.get_by_role("main")).to_contain_text("Ora siamo aperti Chiudiamo oggi alle 13:00")


def test_languages_by_keyboard(visits: list[Visit], browser: Browser, address: str) -> None:
    visit = come(visits, browser, address)
    visit.page.keyboard.press("Tab")
    other = visit.page.get_by_role("link", name="English")
    expect(other).to_be_focused()
    outline = other.evaluate("one => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth")
    assert outline == "solid3px"
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("main")).to_contain_text("We are closed now")
    assert visit.page.locator("html").get_attribute("lang") == "en"


def test_on_a_phone_nothing_sticks_out_and_links_are_large_enough(
    visits: list[Visit], browser: Browser, address: str
) -> None:
    for width in (320, 360):
        visit = come(
            visits, browser, address, viewport={"width": width, "height": 640}, is_mobile=True, has_touch=True
        )
        assert visit.page.evaluate("() => document.documentElement.scrollWidth") <= width
        for link in visit.page.get_by_role("link").all():
            box = link.bounding_box()
            assert box is not None
            assert box["height"] >= LEAST
            assert box["width"] >= LEAST


def test_without_scripts_and_without_style(visits: list[Visit], browser: Browser, address: str) -> None:
    visit = come(visits, browser, address, java_script_enabled=False)
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Sportello: Orari e contatti")
    expect(visit.page.get_by_role("main")).to_contain_text("lun–ven 9:00–13:00, 14:00–18:00")
