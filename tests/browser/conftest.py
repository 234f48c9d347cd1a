"""The widget in a real browser, on a page of the company, with the desk behind it on the engine.

Desk and browser live as long as a module: Playwright's event loop and the desk's environment would
otherwise be met by all other tests of the session.
"""

import json
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from infra.engine.deploy import webhook_url
from infra.engine.template import ROOT
from tests.browser.chat import SECRET, Chat, Visitors
from tests.browser.shop import Shop
from tests.e2e.conftest import running
from tests.e2e.stage import Stage

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURES = ROOT / ".local" / "browser"
EVENING = "2026-12-09 20:15"
MORNING = "2026-12-10 10:00"
SITE = "shop"


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with running(tmp_path_factory.mktemp("desk")) as stage:
        yield stage


@pytest.fixture(scope="module")
def shop(the_desk: Stage) -> Iterator[Shop]:
    """A site with a connection of its own, so that its pages' origin is the one that may call."""
    url = webhook_url(the_desk.desk.deployed.outputs, "webchat")
    with Shop(f"{url}/widget/{SITE}.js") as shop:
        secret = {
            "secrets": [SECRET],
            "accounts": [{"id": SITE}],
            "settings": {
                "origins": shop.origin,
                "email": "main",
                "telegram": "example_desk_bot",
                "whatsapp": "+15550100100",
            },
        }
        the_desk.desk.deployed.client("ssm").put_parameter(
            Name=f"/{the_desk.desk.deployed.stack}/webchat/{SITE}",
            Value=json.dumps(secret),
            Type="SecureString",
        )
        yield shop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, else the one that Playwright keeps (``make browser``)."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitors(
    the_desk: Stage, shop: Shop, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Visitors]:
    """Makes browsers; afterwards none of them may have met a script error or a forbidden thing."""
    the_desk.use()
    the_desk.desk.client.clear()
    the_desk.at(EVENING)
    shop.identity = ""
    shop.violations.clear()
    made = Visitors(the_desk, shop, browser, PICTURES / request.node.name)
    yield made
    errors = made.close()
    assert errors == []
    assert shop.violations == []


@pytest.fixture
def chat(visitors: Visitors) -> Chat:
    """One visitor, in Italian, in the evening: the desk is closed."""
    return visitors.come()
