"""Where everybody reads: personal data goes out of sight, heat into private, and the hours are not told."""

from typing import Any

import pytest

from sportello.domain.decision import Decision, Say
from sportello.domain.desk import Hook
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, asks, at, calls, hidden, says, thread

OPEN_SPACE = DESK.model_copy(
    update={
        "hook": Hook(order_pattern=r"\b\d{8}\b"),
        "phrases": {
            "it": Phrases(
                asks_person=("operatore",),
                urgent=("urgente",),
                criticism=("delusione",),
                anger=("vergogna",),
                thanks=("grazie",),
            )
        },
    }
)
MAIL = "Scrivetemi a customer@example.com"
ALL = ("reply", "hide", "private")


def posting() -> Conversation:
    return Conversation(OPEN_SPACE, thread(public=True))


def post(talk: Conversation, when: str, text: str, acts: tuple[str, ...] = ALL, **changes: Any) -> Decision:
    return talk.customer(when, text, public=True, acts=acts, **changes)


def acts(decision: Decision) -> list[tuple[str, str]]:
    """What is said, and where."""
    return [(effect.text, effect.act) for effect in decision.effects if isinstance(effect, Say)]


class TestCalmWords:
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 20:00"])
    @pytest.mark.parametrize("allowed", [("reply",), ALL])
    def test_they_are_owed_and_hear_nothing_also_of_hours(self, when: str, allowed: tuple[str, ...]) -> None:
        talk = posting()
        decision = post(talk, when, "Avete anche il blu?", allowed)
        assert (decision.reasons, decision.effects) == ((Reason.OWES, Reason.PUBLIC_SILENT), ())

    def test_nor_later(self) -> None:
        talk = posting()
        post(talk, "Mon 17:00", "Avete anche il blu?")
        happened = talk.ticks_until("Wed 18:00")
        assert [text for _, decision in happened for text in says(decision)] == []
        assert Reason.NO_ANSWER in [why for _, decision in happened for why in calls(decision)]

    def test_nobody_outside_is_asked(self) -> None:
        talk = posting()
        talk.desk = OPEN_SPACE.model_copy(
            update={"hook": Hook(url="https://example.com/h", order_pattern=r"\d{8}")}
        )
        assert asks(post(talk, "Mon 10:00", "E l'ordine 12345678?")) == ()

    def test_a_thread_is_public_from_its_first_message(self) -> None:
        talk = Conversation(OPEN_SPACE)
        post(talk, "Mon 20:00", "Avete anche il blu?")
        assert talk.thread.public


class TestHeat:
    @pytest.mark.parametrize("text", ["Vergogna", "Che delusione", "Un operatore!"])
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 20:00"])
    def test_it_is_acknowledged_in_public_and_goes_on_in_private(self, text: str, when: str) -> None:
        decision = post(posting(), when, text)
        assert acts(decision) == [("public_ack", "reply"), ("private_open", "private")]
        assert len(calls(decision)) == 1
        assert {Reason.PUBLIC_ACKNOWLEDGED, Reason.MOVED_TO_PRIVATE} <= set(decision.reasons)

    def test_where_the_platform_has_no_private_words_only_in_public(self) -> None:
        assert acts(post(posting(), "Mon 10:00", "Vergogna", ("reply",))) == [("public_ack", "reply")]

    def test_where_the_public_answer_itself_leads_there_it_is_the_only_one_and_tells_no_hours(self) -> None:
        talk = posting()
        decision = post(talk, "Mon 20:00", "Vergogna", ("reply", "invite"))
        assert acts(decision) == [("public_ack", "private")]
        assert talk.thread.told_until is None

    def test_once_in_a_debt(self) -> None:
        talk = posting()
        post(talk, "Mon 10:00", "Vergogna")
        again = post(talk, "Mon 10:01", "Che delusione")
        assert (says(again), calls(again)) == ([], [Reason.CRITICAL])
        assert Reason.PUBLIC_SILENT in again.reasons

    def test_also_where_a_reply_left_something_owed(self) -> None:
        talk = posting()
        post(talk, "Mon 10:00", "Vergogna")
        talk.person("Mon 10:05", unseen="Mon 10:04")
        assert says(post(talk, "Mon 11:00", "Vergogna")) == []

    def test_a_new_debt_is_acknowledged_anew(self) -> None:
        talk = posting()
        post(talk, "Mon 10:00", "Vergogna")
        talk.person("Mon 10:05")
        assert says(post(talk, "Mon 11:00", "Vergogna")) == ["public_ack", "private_open"]

    def test_not_while_a_person_is_in_the_conversation(self) -> None:
        talk = posting()
        talk.claim("Mon 09:59")
        decision = post(talk, "Mon 10:00", "Vergogna")
        assert (says(decision), calls(decision)) == ([], [])

    def test_a_machine_hears_nothing(self) -> None:
        decision = post(posting(), "Mon 10:00", "Vergogna", automatic="own_address")
        assert decision.effects == ()

    def test_the_first_private_words_at_closed_hours_tell_the_opening(self) -> None:
        talk = posting()
        decision = post(talk, "Mon 20:00", "Vergogna")
        private = next(one for one in decision.effects if isinstance(one, Say) and one.act == "private")
        assert private.until == talk.thread.told_until == at("Tue 09:00")
        assert (
            next(one for one in decision.effects if isinstance(one, Say) and one.act == "reply").until is None
        )

    def test_at_open_hours_they_name_none(self) -> None:
        talk = posting()
        decision = post(talk, "Mon 10:00", "Vergogna")
        assert [one.until for one in decision.effects if isinstance(one, Say)] == [None, None]
        assert talk.thread.told_until is None


class TestPersonalData:
    @pytest.mark.parametrize(
        "text",
        [MAIL, "La carta è 4111 1111 1111 1111", "Il mio numero è +39 333 123 4567", "Ordine 12345678"],
    )
    def test_it_is_hidden_where_the_platform_can(self, text: str) -> None:
        decision = post(posting(), "Mon 10:00", text)
        assert hidden(decision) == ["message-1"]
        assert acts(decision) == [("public_ack", "reply"), ("private_open", "private")]

    def test_else_its_writer_is_asked_to_delete_it(self) -> None:
        decision = post(posting(), "Mon 10:00", MAIL, ("reply", "private"))
        assert hidden(decision) == []
        assert acts(decision) == [("public_delete", "reply"), ("private_open", "private")]

    def test_each_message_is_hidden_but_acknowledged_once(self) -> None:
        talk = posting()
        post(talk, "Mon 10:00", MAIL)
        again = post(talk, "Mon 10:01", MAIL, id="message-2")
        assert (len(hidden(again)), says(again)) == (1, [])

    def test_asked_to_delete_once_and_led_into_private_once(self) -> None:
        talk = posting()
        post(talk, "Mon 10:00", "Vergogna", ("reply", "private"))
        assert says(post(talk, "Mon 10:01", MAIL, ("reply", "private"))) == ["public_delete"]
        assert says(post(talk, "Mon 10:02", MAIL, ("reply", "private"))) == []

    def test_it_is_hidden_also_while_a_person_is_there(self) -> None:
        talk = posting()
        talk.claim("Mon 09:59")
        decision = post(talk, "Mon 10:00", MAIL)
        assert (len(hidden(decision)), says(decision)) == (1, [])

    def test_in_private_nothing_is_hidden(self) -> None:
        decision = Conversation(OPEN_SPACE).customer("Mon 10:00", MAIL)
        assert (hidden(decision), says(decision)) == ([], [])

    def test_the_companys_own_address_stays_and_hides_no_other(self) -> None:
        ours = OPEN_SPACE.model_copy(update={"contacts": ("Care@Example.com", "+39 06 1234 5678")})
        for text in ("Ho scritto a care@example.com", "Ho chiamato il +390612345678"):
            assert hidden(post(Conversation(ours, thread(public=True)), "Mon 10:00", text)) == []
        both = post(Conversation(ours, thread(public=True)), "Mon 10:00", f"care@example.com tace. {MAIL}")
        assert len(hidden(both)) == 1

    @pytest.mark.parametrize("text", ["Il pacco RR123456785IT è fermo", "Costa 49,90 € per 2"])
    def test_what_only_looks_like_it_stays(self, text: str) -> None:
        assert hidden(post(posting(), "Mon 10:00", text)) == []


def test_our_own_public_words_carry_none_of_theirs() -> None:
    for text in (MAIL, "Vergogna! +39 333 123 4567"):
        decision = post(posting(), "Mon 10:00", text)
        for effect in decision.effects:
            assert not isinstance(effect, Say) or dict(effect.values) == {}
