"""What a visitor can do with the chat, seen in a browser."""

import re
import uuid

import pytest
from playwright.sync_api import FilePayload, Route, expect

from sportello.domain.outbound import Button
from tests.browser.chat import SECRET, Chat, Visitors
from tests.browser.conftest import MORNING
from tests.e2e.stage import wait_for
from tests.integration.site import jwt

ASKED = "Buonasera, dov'è il mio pacco?"
PDF: FilePayload = {
    "name": "ricevuta n. 1.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.4 " + b"x" * 20_000,
}
OTHER: FilePayload = {"name": "b.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}


def asked(chat: Chat) -> str:
    """A question that nobody has asked before, in an open chat; returns it."""
    text = f"{ASKED} {uuid.uuid4().hex[:6]}"
    if not chat.panel.is_visible():
        chat.open()
    chat.write(text)
    return text


def test_when_closed_a_visitor_sees_the_hours_before_and_after_writing(chat: Chat) -> None:
    chat.open()
    expect(chat.panel).to_contain_text("Ora siamo chiusi")
    expect(chat.panel).to_contain_text("Rispondiamo domani alle 9:00")
    expect(chat.panel).to_contain_text("Orari: lun–ven 9:00–13:00, 14:00–18:00")
    asked(chat)
    answer = chat.hears("ti rispondiamo domani alle 9:00")
    expect(answer).to_contain_text("Risposta automatica")
    expect(chat.messages()).to_have_count(2)
    chat.picture("closed")


def test_a_person_s_answer_appears_by_itself(chat: Chat) -> None:
    question = asked(chat)
    chat.visitors.stage.at(MORNING)
    chat.answer("Arriva domani. Si vede qui: https://www.example.com/pacco?n=1.", question)
    answer = chat.hears("Arriva domani.")
    link = answer.get_by_role("link")
    expect(link).to_have_attribute("href", "https://www.example.com/pacco?n=1")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    assert not chat.visitors.stage.scan().threads[chat.thread(question)].owes
    chat.picture("answered")


def test_the_status_follows_the_hours(chat: Chat) -> None:
    asked(chat)
    chat.visitors.stage.at(MORNING)
    expect(chat.panel).to_contain_text("Ora siamo aperti", timeout=60_000)
    expect(chat.host.locator(".next")).to_be_hidden()


def test_before_it_is_opened_nothing_is_asked_and_nothing_kept(visitors: Visitors) -> None:
    chat = visitors.come()
    sessions = chat.requests("session")
    chat.page.reload()
    chat.launcher.wait_for()
    chat.page.wait_for_timeout(1500)
    assert sessions == []
    assert chat.stored() == {}


def test_a_reload_keeps_the_conversation(chat: Chat) -> None:
    question = asked(chat)
    chat.hears("domani alle 9:00")
    chat.page.reload()
    chat.hears(question)
    chat.hears("domani alle 9:00")
    expect(chat.panel).to_be_visible()


def test_another_page_of_the_site_has_the_same_conversation(chat: Chat) -> None:
    question = asked(chat)
    other = Chat(chat.visitors, chat.visitors.page(chat.page.context))
    other.page.goto(chat.visitors.shop.page("en"))
    other.hears(question)
    expect(other.panel).to_contain_text("Closed now")


def test_an_answer_while_it_is_closed_is_counted_and_read_out(chat: Chat) -> None:
    question = asked(chat)
    chat.hears("domani alle 9:00")
    chat.page.keyboard.press("Escape")
    expect(chat.badge).to_be_hidden()
    chat.answer("Arriva domani.", question)
    expect(chat.badge).to_have_text("1", timeout=60_000)
    expect(chat.launcher).to_have_attribute("aria-label", "Scrivici, 1 messaggi nuovi")
    expect(chat.host.locator("[role=status].unseen")).to_have_text("1 messaggi nuovi")
    chat.picture("badge")
    chat.page.reload()
    expect(chat.badge).to_have_text("1")
    chat.open()
    chat.hears("Arriva domani.")
    expect(chat.badge).to_be_hidden()
    chat.page.keyboard.press("Escape")
    expect(chat.badge).to_be_hidden()


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "javascript:alert(1) http://",
        'https://example.com/"onmouseover=alert(1)',
    ],
)
def test_markup_is_text(chat: Chat, text: str) -> None:
    question = asked(chat)
    chat.answer(f"{text} end", question)
    bubble = chat.hears("end").locator(".bubble p")
    assert bubble.text_content() == f"{text} end"
    assert bubble.evaluate("element => [...element.querySelectorAll('*')].map((one) => one.tagName)") in (
        [],
        ["A"],
    )
    chat.field.fill(text)
    chat.page.keyboard.press("Enter")
    expect(chat.messages().last.locator(".bubble p")).to_have_text(text)


def test_buttons_under_an_answer_answer(chat: Chat) -> None:
    question = asked(chat)
    buttons = (Button(id="yes", title="Sì, grazie"), Button(id="no", title="No"))
    chat.answer("Va bene domani?", question, buttons=buttons)
    chat.hears("Va bene domani?").get_by_role("button", name="Sì, grazie").click()
    expect(chat.messages().filter(has_text="Inviato").last).to_contain_text("Sì, grazie")
    rows = chat.visitors.stage.scan().messages[chat.thread(question)]
    wait_for(
        lambda: any(
            row.payload == "yes" for row in chat.visitors.stage.scan().messages[chat.thread(question)]
        ),
        "the tap is stored",
        state=lambda: str(rows),
    )


# --- files ----------------------------------------------------------------------------------------


def test_a_file_goes_up_and_comes_down(chat: Chat) -> None:
    question = asked(chat)
    chat.host.locator("input[type=file]").set_input_files([PDF])
    expect(chat.host.locator(".chosen")).to_contain_text("ricevuta n. 1.pdf")
    chat.write("Ecco la ricevuta")
    file = chat.messages().last.get_by_role("button", name="Scarica ricevuta n. 1.pdf")
    expect(file).to_be_enabled()
    with chat.page.expect_download() as download:
        file.click()
    assert download.value.suggested_filename == "ricevuta n. 1.pdf"
    assert download.value.path().read_bytes() == PDF["buffer"]
    rows = chat.visitors.stage.scan().messages[chat.thread(question)]
    (media,) = next(row.media for row in rows if row.media)
    assert (media.name, media.mime, media.size) == ("ricevuta n. 1.pdf", "application/pdf", 20_009)
    chat.page.reload()
    expect(chat.log.get_by_role("button", name="Scarica ricevuta n. 1.pdf")).to_be_enabled()
    chat.picture("file")


def test_a_chosen_file_can_be_put_back(chat: Chat) -> None:
    chat.open()
    chat.host.locator("input[type=file]").set_input_files([PDF, OTHER])
    chat.host.get_by_role("button", name="Togli ricevuta n. 1.pdf").click()
    expect(chat.host.locator(".chosen li")).to_have_count(1)
    expect(chat.host.locator(".chosen")).to_contain_text("b.pdf")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"name": "a.html", "mimeType": "text/html", "buffer": b"<p>"}, "File di questo tipo"),
        ({"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"x" * 10_485_761}, "fino a 10"),
    ],
)
def test_a_file_that_is_not_taken_is_said_so(chat: Chat, file: FilePayload, says: str) -> None:
    chat.open()
    chat.host.locator("input[type=file]").set_input_files([file])
    expect(chat.host.locator(".notice")).to_contain_text(says)
    expect(chat.host.locator(".chosen")).to_be_hidden()


# --- when the network fails -------------------------------------------------------------------------


def test_what_could_not_be_sent_is_sent_again_as_the_same_message(chat: Chat) -> None:
    question = asked(chat)
    chat.page.route(
        re.compile("/messages/"),
        lambda route: route.fulfill(
            status=503,
            json={"error": "busy", "detail": ""},
            headers={"access-control-allow-origin": chat.visitors.shop.origin},
        ),
    )
    chat.field.fill("Un momento")
    chat.page.keyboard.press("Enter")
    failed = chat.messages().filter(has_text="Un momento")
    expect(failed).to_contain_text("Non inviato")
    chat.picture("not sent")
    chat.page.unroute_all()
    failed.get_by_role("button", name="Riprova").click()
    expect(failed).to_contain_text("Inviato", ignore_case=False)
    texts = [row.text for row in chat.visitors.stage.scan().messages[chat.thread(question)]]
    assert texts.count("Un momento") == 1


def test_when_the_network_is_back_it_goes_by_itself(chat: Chat) -> None:
    question = asked(chat)
    chat.page.context.set_offline(True)
    chat.field.fill("Senza rete")
    chat.page.keyboard.press("Enter")
    waiting = chat.messages().filter(has_text="Senza rete")
    expect(waiting).to_contain_text("Non inviato")
    expect(chat.host.locator(".notice")).to_contain_text("Connessione assente")
    chat.picture("offline")
    chat.page.context.set_offline(False)
    expect(waiting).to_contain_text("Inviato", ignore_case=False)
    expect(chat.host.locator(".notice")).to_be_hidden()
    texts = [row.text for row in chat.visitors.stage.scan().messages[chat.thread(question)]]
    assert texts.count("Senza rete") == 1


def test_an_answer_that_was_lost_makes_no_second_message(chat: Chat) -> None:
    question = asked(chat)
    sent: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(str(route.request.post_data_json["client_message_id"]))  # type: ignore[index]
            if len(sent) == 1:
                route.fetch()  # it arrives, and nobody hears of it
        if len(sent) == 1:  # nor does a poll tell, before it is sent again
            route.abort()
        else:
            route.continue_()

    chat.page.route(re.compile("/messages/"), lose_the_first)
    chat.write("Due volte")
    assert len(sent) == 2
    assert len(set(sent)) == 1
    texts = [row.text for row in chat.visitors.stage.scan().messages[chat.thread(question)]]
    assert texts.count("Due volte") == 1
    expect(chat.messages().filter(has_text="Due volte")).to_have_count(1)


def test_what_is_seen_to_have_arrived_is_not_sent_again(chat: Chat) -> None:
    asked(chat)
    unanswered: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            unanswered.append(route)
            route.fetch()
        else:
            route.continue_()

    chat.page.route(re.compile("/messages/"), hold)
    chat.write("Una volta")  # a poll shows that it has arrived
    for route in unanswered:
        route.abort()
    chat.page.wait_for_timeout(2500)  # longer than it waits before it tries again
    assert len(unanswered) == 1
    expect(chat.messages().filter(has_text="Una volta")).to_contain_text("Inviato")


def test_what_was_being_sent_when_the_page_was_left_is_sent_by_the_next(chat: Chat) -> None:
    question = asked(chat)
    chat.page.route(
        re.compile("/messages/"),
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    chat.field.fill("Prima di andare")
    chat.page.keyboard.press("Enter")
    wait_for(lambda: bool(chat.stored().get("outbox")), "it is kept")
    chat.page.unroute_all()
    chat.page.reload()
    expect(chat.messages().filter(has_text="Prima di andare")).to_contain_text("Inviato")
    texts = [row.text for row in chat.visitors.stage.scan().messages[chat.thread(question)]]
    assert texts.count("Prima di andare") == 1


def test_a_token_that_is_good_no_more_is_renewed_without_a_word(chat: Chat) -> None:
    question = asked(chat)
    sessions, refused = chat.requests("session"), list[str]()

    def refuse_the_first(route: Route) -> None:
        if refused or route.request.method != "POST":
            route.continue_()
            return
        refused.append(route.request.url)
        origin = {"access-control-allow-origin": chat.visitors.shop.origin}
        route.fulfill(status=401, json={"error": "token", "detail": ""}, headers=origin)

    chat.page.route(re.compile("/messages/"), refuse_the_first)
    chat.write("Ancora io")
    assert len(refused) == len(sessions) == 1
    texts = [row.text for row in chat.visitors.stage.scan().messages[chat.thread(question)]]
    assert "Ancora io" in texts


# --- who the visitor is ---------------------------------------------------------------------------------


def test_a_customer_who_is_logged_in_is_known_and_nobody_after_them_is(visitors: Visitors) -> None:
    shop = visitors.shop
    shop.identity = jwt({"sub": f"c-{uuid.uuid4()}", "name": "Customer One"}, SECRET)
    page = shop.page("it", identity_url="/identity")
    chat = visitors.come(path=page)
    question = asked(chat)
    thread = visitors.stage.scan().threads[chat.thread(question)]
    assert thread.name == "Customer One"

    shop.identity = jwt({"sub": f"c-{uuid.uuid4()}", "name": "Customer Two"}, SECRET)
    chat.page.reload()
    expect(chat.host.locator(".status")).not_to_be_empty()
    chat.page.wait_for_timeout(1500)
    expect(chat.messages()).to_have_count(0)

    shop.identity = ""
    chat.page.reload()
    expect(chat.host.locator(".status")).not_to_be_empty()
    chat.page.wait_for_timeout(1500)
    expect(chat.messages()).to_have_count(0)
    assert chat.stored()["identified"] is False


def test_logging_in_takes_the_conversation_along_and_logging_out_clears_it(visitors: Visitors) -> None:
    chat = visitors.come()
    question = asked(chat)
    customer = jwt({"sub": f"c-{uuid.uuid4()}"}, SECRET)
    chat.page.evaluate("token => window.sportello.identify(token)", customer)
    wait_for(lambda: visitors.stage.scan().threads[chat.thread(question)].to.startswith("u:"), "attached")
    chat.hears(question)
    chat.page.evaluate("() => window.sportello.logout()")
    expect(chat.messages()).to_have_count(0)
    elsewhere = visitors.come(path=visitors.shop.page("it", identity=customer))
    elsewhere.open()
    elsewhere.hears(question)


# --- when the visitor leaves ------------------------------------------------------------------------------


def test_a_visitor_leaves_an_address_and_may_go_on_elsewhere(chat: Chat) -> None:
    chat.open()
    form = chat.host.locator("form.email")
    expect(form).to_be_hidden()
    question = asked(chat)
    expect(form).to_be_visible()
    form.get_by_label("E-mail").fill("nobody")
    form.get_by_role("button", name="Salva").click()
    expect(chat.host.locator(".notice")).to_have_text("Questo non è un indirizzo e-mail")
    expect(form.get_by_label("E-mail")).to_be_focused()
    form.get_by_label("E-mail").fill("visitor@example.com")
    form.get_by_role("button", name="Salva").click()
    expect(chat.host.locator(".notice")).to_have_text("La risposta arriva anche a visitor@example.com")
    expect(form).to_be_hidden()
    assert chat.visit(chat.thread(question))["email"] == "visitor@example.com"
    links = chat.host.locator(".elsewhere").get_by_role("link")
    assert [re.sub("chat-.*", "chat-…", str(link.get_attribute("href"))) for link in links.all()] == [
        "https://t.me/example_desk_bot?start=chat-…",
        "https://wa.me/15550100100?text=chat-…",
    ]
    chat.page.reload()
    chat.hears(question)
    expect(form).to_be_hidden()


def test_a_page_of_somebody_else_gets_no_session(visitors: Visitors) -> None:
    chat = visitors.come(path=visitors.shop.page().replace("127.0.0.1", "localhost"))
    sessions = chat.requests("session")
    chat.launcher.click()
    wait_for(lambda: bool(sessions), "a session is asked for")
    expect(chat.host.locator(".notice")).to_have_text("Connessione assente")
    assert chat.stored().get("token", "") == ""
    visitors.errors[:] = [error for error in visitors.errors if "CORS" not in error]
