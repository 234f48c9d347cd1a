"""Telegram: who is who in private, business and group chats, and what a message is."""

from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request
from sportello.channels.telegram import Telegram
from sportello.domain.events import Connected, Echo, Edit, Ignored, Inbound, Kind, PlatformEvent, Unreadable
from tests.contract.samples import wire_bytes

BOT = Account(id="7000000001", name="sample_desk_bot")
CONNECTION = Connection(name="main", secrets=("sample-secret",), accounts=(BOT,))
CHAT = "1000000001"
CUSTOMER: dict[str, Any] = {"id": int(CHAT), "is_bot": False, "first_name": "Customer"}
OWNER: dict[str, Any] = {"id": 2000000001, "is_bot": False, "first_name": "Owner"}
GROUP: dict[str, Any] = {"id": -1001000000001, "type": "supergroup", "title": "Sample Group"}
TELEGRAM = Telegram()


def update(kind: str, **changes: Any) -> Request:
    message = {
        "message_id": 5,
        "from": CUSTOMER,
        "chat": {"id": int(CHAT), "type": "private", "first_name": "Customer"},
        "date": 1795461300,
        "text": "Ciao",
        **changes,
    }
    kept = {name: value for name, value in message.items() if value is not None}
    return Request(method="POST", body=wire_bytes({"update_id": 41000000, kind: kept}))


def parsed(request: Request) -> PlatformEvent:
    (event,) = TELEGRAM.parse(request, CONNECTION)
    return event


def inbound(kind: str = "message", **changes: Any) -> Inbound:
    event = parsed(update(kind, **changes))
    assert isinstance(event, Inbound), event
    return event


class TestBusinessDirection:
    def business(self, **changes: Any) -> PlatformEvent:
        return parsed(update("business_message", **{"business_connection_id": "bc1", **changes}))

    def test_the_one_whose_id_is_the_chats_is_the_customer(self) -> None:
        event = self.business()
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.customer.address) == (f"b{CHAT}", f"b:bc1:{CHAT}")

    def test_everybody_else_is_our_side(self) -> None:
        event = self.business(**{"from": OWNER})
        assert isinstance(event, Echo)
        assert event.author == "person"
        assert event.customer.name == "Customer"

    @pytest.mark.parametrize("mark", [{"is_from_offline": True}, {"sender_business_bot": {"id": 7000000077}}])
    def test_what_a_machine_wrote_is_automatic(self, mark: dict[str, Any]) -> None:
        event = self.business(**{"from": OWNER, **mark})
        assert isinstance(event, Echo)
        assert event.author == "automatic"

    def test_our_own_send_does_not_come_back_as_a_message(self) -> None:
        event = self.business(**{"from": OWNER, "sender_business_bot": {"id": int(BOT.id)}})
        assert event == Ignored(account=BOT.id, why="own send")

    def test_a_bot_in_a_business_chat_is_not_answered(self) -> None:
        event = self.business(**{"from": {"id": int(CHAT), "is_bot": True, "first_name": "Bot"}})
        assert event == Ignored(account=BOT.id, why="bot")

    def test_a_service_message_of_the_owner_settles_nothing(self) -> None:
        pinned = {"message_id": 1, "chat": {"id": int(CHAT), "type": "private"}, "date": 0}
        event = self.business(**{"from": OWNER, "text": None, "pinned_message": pinned})
        assert event == Ignored(account=BOT.id, why="pinned_message by the owner")

    def test_the_owners_edit_is_no_customers_edit(self) -> None:
        changes: dict[str, Any] = {"business_connection_id": "bc1", "from": OWNER}
        assert isinstance(parsed(update("edited_business_message", **changes)), Ignored)
        changes["from"] = {"id": int(CHAT), "is_bot": False, "first_name": "Customer"}
        assert isinstance(parsed(update("edited_business_message", **changes)), Edit)

    @pytest.mark.parametrize("kind", ["business_message", "edited_business_message"])
    def test_without_its_connection_nobody_can_tell_the_sides(self, kind: str) -> None:
        assert isinstance(parsed(update(kind)), Unreadable)

    def test_start_is_a_word_like_others(self) -> None:
        event = self.business(text="/start")
        assert isinstance(event, Inbound)
        assert event.kind is Kind.TEXT

    def test_a_quote_points_into_the_same_connection(self) -> None:
        replied = {"message_id": 4, "chat": {"id": int(CHAT), "type": "private"}, "date": 1795461200}
        event = self.business(reply_to_message=replied)
        assert isinstance(event, Inbound)
        assert event.quote == f"{CHAT}:4:bc1"

    @pytest.mark.parametrize(
        ("fields", "detail"),
        [
            ({"rights": {"can_reply": True}}, "can_reply"),
            ({"rights": {}}, "cannot_reply"),
            ({"can_reply": True}, "can_reply"),
            ({"rights": {}, "can_reply": True}, "cannot_reply"),
            ({}, "cannot_reply"),
        ],
    )
    def test_the_right_to_answer_is_read_where_it_stands_now(
        self, fields: dict[str, Any], detail: str
    ) -> None:
        connection = {"id": "bc1", "user": OWNER, "is_enabled": True, **fields}
        body = wire_bytes({"update_id": 1, "business_connection": connection})
        event = parsed(Request(method="POST", body=body))
        assert isinstance(event, Connected)
        assert (event.enabled, event.detail, event.time) == (True, detail, None)

    def test_a_tap_of_the_owner_is_not_the_customers(self) -> None:
        ours = {
            "message_id": 9,
            "chat": {"id": int(CHAT), "type": "private", "first_name": "Customer"},
            "date": 1795461300,
            "business_connection_id": "bc1",
            "sender_business_bot": {"id": 7000000001},
        }

        def tap(person: dict[str, Any]) -> PlatformEvent:
            query = {"id": "1", "from": person, "message": ours, "data": "x"}
            return parsed(Request(method="POST", body=wire_bytes({"update_id": 1, "callback_query": query})))

        assert isinstance(tap(OWNER), Ignored)
        customers = tap({"id": int(CHAT), "is_bot": False, "first_name": "Customer"})
        assert isinstance(customers, Inbound)
        assert customers.customer.address == f"b:bc1:{CHAT}"
        assert customers.quote == f"{CHAT}:9:bc1"


class TestGroups:
    def group(self, **changes: Any) -> PlatformEvent:
        return parsed(update("message", **{"chat": GROUP, **changes}))

    def addressed(self, text: str, *entities: dict[str, Any], **changes: Any) -> bool:
        event = self.group(text=text, entities=list(entities), **changes)
        assert isinstance(event, Inbound)
        assert event.group
        return event.addressed

    def test_the_group_is_the_customer_and_bears_the_writers_name(self) -> None:
        event = self.group()
        assert isinstance(event, Inbound)
        assert (event.customer.id, event.customer.address) == ("-1001000000001", "-1001000000001")
        assert event.customer.name == "Customer"

    def test_a_mention_of_us_in_any_case(self) -> None:
        mention = {"type": "mention", "offset": 0, "length": 16}
        assert self.addressed("@SAMPLE_desk_bot ?", mention)
        assert not self.addressed("@sample_desk_xxx ?", mention)
        assert not self.addressed("write @sample_desk_bot", {"type": "bold", "offset": 6, "length": 16})

    def test_a_mention_without_a_handle(self) -> None:
        person = {"type": "text_mention", "offset": 0, "length": 4}
        assert self.addressed("Desk", {**person, "user": {"id": int(BOT.id)}})
        assert not self.addressed("Desk", {**person, "user": {"id": 5}})

    def test_a_command_to_us_or_to_nobody_by_name(self) -> None:
        assert self.addressed("/help", {"type": "bot_command", "offset": 0, "length": 5})
        assert self.addressed("/help@sample_desk_bot", {"type": "bot_command", "offset": 0, "length": 21})
        assert not self.addressed("/help@another_bot", {"type": "bot_command", "offset": 0, "length": 17})

    def test_an_answer_to_us_but_not_to_others(self) -> None:
        replied = {"message_id": 4, "chat": GROUP, "date": 1795461200}
        assert self.addressed("?", reply_to_message={**replied, "from": {"id": int(BOT.id), "is_bot": True}})
        assert not self.addressed("?", reply_to_message={**replied, "from": {"id": 5, "is_bot": False}})
        assert not self.addressed("?", reply_to_message=replied)

    def test_a_mention_in_a_caption(self) -> None:
        photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
        mention = {"type": "mention", "offset": 3, "length": 16}
        event = self.group(text=None, photo=photo, caption="🙂 @sample_desk_bot", caption_entities=[mention])
        assert isinstance(event, Inbound)
        assert event.addressed

    @pytest.mark.parametrize("offset", [-5, 0, 3, 10**9, -(10**18)])
    def test_places_outside_the_text_are_harmless(self, offset: int) -> None:
        assert not self.addressed("ciao", {"type": "mention", "offset": offset, "length": 10**12})

    def test_bots_and_channels_are_not_served(self) -> None:
        us = {"id": int(BOT.id), "is_bot": True, "first_name": "Desk"}
        assert self.group(**{"from": us}) == Ignored(account=BOT.id, why="bot")
        channel = {"id": -100, "type": "channel", "title": "News"}
        assert self.group(chat=channel) == Ignored(account=BOT.id, why="channel")
        forwarded = self.group(is_automatic_forward=True, sender_chat=channel)
        assert forwarded == Ignored(account=BOT.id, why="automatic forward")

    def test_an_anonymous_administrator_is_a_person(self) -> None:
        anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
        event = self.group(**{"from": anonymous, "sender_chat": GROUP})
        assert isinstance(event, Inbound)
        assert event.customer.name == "Sample Group"

    @pytest.mark.parametrize(
        ("status", "detail"), [("left", "removed"), ("kicked", "removed"), ("member", "added")]
    )
    def test_our_own_membership(self, status: str, detail: str) -> None:
        member = {"user": {"id": int(BOT.id)}, "status": status}
        event = parsed(update("my_chat_member", chat=GROUP, new_chat_member=member))
        assert isinstance(event, Inbound)
        assert (event.kind, event.detail, event.group) == (Kind.SERVICE, detail, True)


class TestMessages:
    def test_a_message_without_a_number_of_its_own_is_told_apart_by_the_update(self) -> None:
        event = inbound(message_id=0)
        assert (event.id, event.sequence) == (f"{CHAT}:u41000000", None)

    @pytest.mark.parametrize("date", [0, -1, 10**15])
    def test_an_absurd_clock_is_kept_as_it_is(self, date: int) -> None:
        assert inbound(date=date).time == date * 1000

    @pytest.mark.parametrize(
        ("code", "language"), [("it", "it"), ("pt-br", "pt"), ("zh_Hans", "zh"), ("EN-GB", "en"), (None, "")]
    )
    def test_the_language_is_its_primary_subtag(self, code: str | None, language: str) -> None:
        sender = {**CUSTOMER, "language_code": code}
        changes: dict[str, Any] = {"from": sender}
        assert inbound(**changes).customer.language == language

    @pytest.mark.parametrize("text", ["/start@sample_desk_bot", "/start  ", "/start\nx"])
    def test_start_with_its_variants(self, text: str) -> None:
        assert inbound(text=text).kind is Kind.START

    @pytest.mark.parametrize("text", ["/started", "start", "please /start", "/Start"])
    def test_what_is_not_start(self, text: str) -> None:
        assert inbound(text=text).kind is Kind.TEXT

    def test_a_contact_is_own_only_where_telegram_says_so(self) -> None:
        def own(**fields: Any) -> bool:
            card = {"phone_number": "+390000000001", "first_name": "C", **fields}
            return inbound(text=None, contact=card).cards[0].own

        assert own(user_id=int(CHAT))
        assert not own(user_id=5)
        assert not own()

    def test_an_empty_message_is_kept(self) -> None:
        event = inbound(text=None)
        assert (event.kind, event.detail) == (Kind.UNSUPPORTED, "empty")

    def test_an_unknown_update_without_a_writer_is_put_aside_whole(self) -> None:
        contents: tuple[Any, ...] = ({"x": 1}, [], 5, "text", {"chat": 5, "from": {}}, {"chat": {"id": 5}})
        for content in contents:
            body = {"update_id": 1, "tomorrow": content}
            event = parsed(Request(method="POST", body=wire_bytes(body)))
            assert event == Unreadable(account=BOT.id, fragment=body, why="unknown update tomorrow")

    def test_without_accounts_the_event_names_none(self) -> None:
        (event,) = TELEGRAM.parse(update("message"), CONNECTION.model_copy(update={"accounts": ()}))
        assert event.account == ""
