"""The chat for everybody: by keyboard, by screen reader, in large, dark, small and right to left.

axe-core looks for what a machine can find of WCAG 2.2 AA; the tests beside it are for what it cannot.
"""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat import Chat, Visitors
from tests.browser.test_widget import PDF, asked

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LEAST = 44
"""Pixels of a target on both sides: WCAG asks for 24, fingers for more."""


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response
    assert found["passes"], "axe has looked at nothing"
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def focused(page: Page) -> str:
    """What has the focus: its name for those who cannot see it."""
    name: str = page.evaluate(
        """() => {
          const one = document.activeElement.shadowRoot?.activeElement || document.activeElement;
          return one.ariaLabel || one.labels?.[0]?.textContent || one.textContent;
        }"""
    )
    return name


LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True},
    "forced": {"forced_colors": "active"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(visitors: Visitors, look: str) -> None:
    chat = visitors.come(**LOOKS[look])
    assert violations(chat.page) == []
    chat.open()
    chat.page.wait_for_timeout(300)  # until it has come up
    assert violations(chat.page) == []
    asked(chat)
    chat.hears("domani alle 9:00")
    chat.host.locator("input[type=file]").set_input_files([PDF])
    chat.picture(look)
    assert violations(chat.page) == []
    chat.page.context.set_offline(True)
    chat.field.fill("Senza rete")
    chat.host.locator("button.primary").click()
    expect(chat.messages().last).to_contain_text("Non inviato", timeout=60_000)
    chat.picture(f"{look} not sent")
    assert violations(chat.page) == []


@pytest.mark.parametrize("color", ["#ffe600", "#00875a", "#7a0019", "#767676", "#000000", "#ffffff"])
def test_any_colour_of_a_company_can_be_read(visitors: Visitors, color: str) -> None:
    chat = visitors.come(path=visitors.shop.page("it", color=color))
    asked(chat)
    chat.picture(color)
    assert violations(chat.page) == []


def test_all_of_it_by_keyboard(chat: Chat) -> None:
    press, page = chat.page.keyboard.press, chat.page
    press("Tab")
    press("Tab")
    assert focused(page) == "Scrivici"
    press("Enter")
    expect(chat.field).to_be_focused()
    expect(chat.host.locator(".status")).not_to_be_empty()
    page.keyboard.type("Prima riga")
    press("Shift+Enter")
    page.keyboard.type("seconda riga")
    press("Enter")
    expect(chat.messages().first).to_contain_text("Inviato")
    assert chat.messages().first.locator("p").first.text_content() == "Prima riga\nseconda riga"
    expect(chat.field).to_be_focused()
    chat.hears("domani alle 9:00")

    press("Shift+Tab")
    assert focused(page) == "Allega un file"
    for name in ("WhatsApp", "Telegram", "Salva", "E-mail", "Conversazione", "Chiudi"):
        press("Shift+Tab")
        assert focused(page) == name
    press("Escape")
    expect(chat.panel).to_be_hidden()
    assert focused(page) == "Scrivici"
    press("Space")
    expect(chat.field).to_be_focused()
    press("Tab")
    assert focused(page) == "Invia"
    press("Tab")
    assert focused(page) != "Invia"
    expect(chat.panel).to_be_visible()


def test_the_focus_is_always_seen(chat: Chat) -> None:
    asked(chat)
    for locator in chat.panel.locator(
        "button:visible, a:visible, textarea, [tabindex='0'], input:visible"
    ).all():
        if locator.is_disabled():
            continue
        chat.page.keyboard.press("Tab")
        locator.focus()
        outline = locator.evaluate(
            "one => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth"
        )
        assert outline in ("solid3px", "solid2px"), locator


def test_what_is_touched_is_large_enough(visitors: Visitors) -> None:
    chat = visitors.come(**LOOKS["phone"])
    asked(chat)
    chat.host.locator("input[type=file]").set_input_files([PDF])
    for target in chat.host.locator("button:visible, textarea, input[type=email], .elsewhere a").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= LEAST, target.evaluate("one => one.outerHTML")
        assert box["width"] >= LEAST, target.evaluate("one => one.outerHTML")


def test_a_screen_reader_hears_what_comes_and_knows_what_is_what(chat: Chat) -> None:
    asked(chat)
    chat.hears("domani alle 9:00")
    expect(chat.log).to_have_attribute("aria-live", "polite")
    expect(chat.log).to_have_accessible_name("Conversazione")
    expect(chat.panel).to_have_accessible_name("Sportello, Messaggi")
    expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    expect(chat.field).to_have_accessible_name("Il messaggio")
    assert chat.host.get_attribute("lang") == "it"
    said = chat.messages().last.text_content() or ""
    assert said.startswith("Assistenza: ")


def test_a_change_of_state_is_not_a_new_message(chat: Chat) -> None:
    """The element stays: a screen reader would otherwise read the whole message again."""
    question = asked(chat)
    first = chat.messages().filter(has_text=question).element_handle()
    chat.hears("domani alle 9:00")
    chat.page.wait_for_timeout(3000)
    assert first is not None
    assert first.evaluate("one => one.isConnected")


def test_nothing_moves_for_whoever_asked_for_that(visitors: Visitors) -> None:
    for motion, animation in (("no-preference", "come"), ("reduce", "none")):
        chat = visitors.come(reduced_motion=motion).open()
        assert chat.panel.evaluate("one => getComputedStyle(one).animationName") == animation


def test_on_a_phone_it_fills_the_screen_and_nothing_sticks_out(visitors: Visitors) -> None:
    chat = visitors.come(**LOOKS["phone"])
    asked(chat)
    chat.hears("domani alle 9:00")
    assert chat.panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 640}
    expect(chat.launcher).to_be_hidden()
    wide = chat.log.evaluate("one => one.scrollWidth - one.clientWidth")
    assert wide == 0


def test_at_four_hundred_percent_it_can_still_be_used(visitors: Visitors) -> None:
    """WCAG 1.4.10: 1280 pixels at 400 % are 320."""
    chat = visitors.come(viewport={"width": 320, "height": 256})
    asked(chat)
    box = chat.field.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 256
    assert chat.page.evaluate("() => document.documentElement.scrollWidth") <= 320
    chat.picture("400 percent")


def test_words_of_the_page_s_language(visitors: Visitors) -> None:
    chat = visitors.come("en")
    expect(chat.launcher).to_have_accessible_name("Write to us")
    chat.open()
    expect(chat.panel).to_contain_text("Closed now")
    expect(chat.panel).to_contain_text("We answer tomorrow at 9:00")
    other = visitors.come("fr").open()
    expect(other.panel).to_contain_text("Ora siamo chiusi")


def test_right_to_left_pages_have_it_on_their_side(visitors: Visitors) -> None:
    chat = visitors.come("ar").open()
    chat.write("مرحبا")
    chat.picture("right to left")
    paragraph = chat.messages().first.locator("p").first
    expect(paragraph).to_have_attribute("dir", "auto")
    assert paragraph.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert chat.panel.bounding_box()["x"] == chat.launcher.bounding_box()["x"] == 20  # type: ignore[index]
    assert violations(chat.page) == []
