"""One visitor's browser, and what they do with the chat in it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

from sportello.aws import items
from sportello.domain.message import Message
from sportello.services import reply
from tests.browser.shop import Shop
from tests.e2e.stage import Stage

SECRET = "fake-secret-of-the-shop-0000000000000001"
MILLISECONDS = 20_000
QUIET = re.compile(r"net::ERR_(FAILED|INTERNET_DISCONNECTED)|status of (4\d\d|503)")
"""What a browser says of requests that a test has failed or refused on purpose."""
expect.set_options(timeout=MILLISECONDS)


@dataclass
class Visitors:
    stage: Stage
    shop: Shop
    browser: Browser
    pictures: Path
    errors: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def come(self, language: str = "it", *, path: str = "", **more: Any) -> "Chat":
        """Somebody new opens a page; ``more`` are settings of the browser (dark, touch, size)."""
        locale = {"it": "it-IT", "en": "en-GB"}.get(language, language)
        context = self.browser.new_context(
            **{"locale": locale, "timezone_id": "Europe/Rome", "viewport": {"width": 1100, "height": 800}}
            | more
        )
        context.set_default_timeout(MILLISECONDS)
        self._contexts.append(context)
        chat = Chat(self, self.page(context))
        chat.page.goto(path or self.shop.page(language))
        chat.launcher.wait_for()
        return chat

    def page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self._said(said.type, said.text))
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not QUIET.search(text):
            self.errors.append(text)

    def close(self) -> list[str]:
        for context in self._contexts:
            context.close()
        return self.errors


@dataclass
class Chat:
    """The widget on one page."""

    visitors: Visitors
    page: Page

    # --- what there is ------------------------------------------------------------------------

    @property
    def host(self) -> Locator:
        return self.page.locator("sportello-chat")

    @property
    def launcher(self) -> Locator:
        return self.host.locator(".launcher")

    @property
    def panel(self) -> Locator:
        return self.host.get_by_role("dialog")

    @property
    def log(self) -> Locator:
        return self.host.get_by_role("log")

    @property
    def field(self) -> Locator:
        return self.host.locator("textarea")

    @property
    def badge(self) -> Locator:
        return self.host.locator(".badge")

    def messages(self) -> Locator:
        return self.log.get_by_role("listitem")

    def stored(self) -> dict[str, Any]:
        """What the page keeps in this browser."""
        found: dict[str, Any] = self.page.evaluate(
            "() => Object.fromEntries(Object.entries(localStorage).map(([k, v]) => [k, JSON.parse(v)]))"
        )
        return next(iter(found.values()), {})

    # --- what a visitor does ---------------------------------------------------------------------

    def open(self) -> "Chat":
        self.launcher.click()
        expect(self.host.locator(".status")).not_to_be_empty()
        return self

    def write(self, text: str) -> None:
        """A message that arrives."""
        self.field.fill(text)
        self.host.locator("button.primary").click()
        expect(self.messages().filter(has_text=text)).to_contain_text(re.compile("Inviato|Sent"))

    def hears(self, text: str) -> Locator:
        found = self.messages().filter(has_text=text)
        expect(found).to_be_visible()
        return found

    def picture(self, name: str) -> None:
        """For people to look at: under ``.local/browser``."""
        self.visitors.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.visitors.pictures / f"{name}.png")

    def requests(self, action: str) -> list[Request]:
        """Grows with every call of that route from now on."""
        seen: list[Request] = []

        def note(request: Request) -> None:
            if urlsplit(request.url).path.rpartition("/")[0].endswith(f"/{action}"):
                seen.append(request)

        self.page.on("request", note)
        return seen

    # --- the desk's side ----------------------------------------------------------------------------

    def thread(self, text: str) -> str:
        """The id of the thread in which that was written."""
        rows = self.visitors.stage.scan().messages
        found = [id for id, messages in rows.items() if any(row.text == text for row in messages)]
        assert len(found) == 1, f"{len(found)} threads hold {text!r}"
        return found[0]

    def answer(self, text: str, to: str, **more: Any) -> Message:
        """A person of the desk answers whoever wrote that."""
        return reply.reply(self.visitors.stage.person(), self.thread(to), text, **more)[0]

    def visit(self, thread: str) -> dict[str, Any]:
        """The row that the chat keeps beside a thread."""
        rows = map(items.values, self.visitors.stage.items())
        return next(row for row in rows if (row["PK"], row["SK"]) == (f"T#{thread}", "W"))
