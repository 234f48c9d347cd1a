"""Chasers, criticism and anger: what the file says of each is done once in a debt."""

from typing import Any

import pytest

from sportello.domain.deadlines import Answers
from sportello.domain.desk import Desk, Question, Signal
from sportello.domain.model import HOUR
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, at, call, calls, say, says

FEELING = DESK.model_copy(
    update={
        "answers": Answers(first=HOUR, full=0),
        "phrases": {
            "it": Phrases(
                asks_person=("operatore",),
                greeting=("buongiorno",),
                chaser=("novità",),
                criticism=("delusione",),
                anger=("vergogna",),
            ),
            "en": Phrases(chaser=("any news",), criticism=("disappointed",), anger=("disgrace",)),
            "ru": Phrases(chaser=("есть новости",), criticism=("разочарован",), anger=("безобразие",)),
        },
    }
)
NEWS, CRITICISM, ANGER = "Ci sono novità?", "Che delusione", "È una vergogna"


def desk(**signals: Signal) -> Desk:
    return FEELING.model_copy(update={"signals": signals})


def waiting(on: Desk = FEELING) -> Conversation:
    talk = Conversation(on)
    talk.customer("Mon 10:00", "La sedia è rotta")
    return talk


class TestAsTheFileSays:
    @pytest.mark.parametrize(
        ("text", "why", "heard", "track", "urgent"),
        [
            (NEWS, Reason.CHASES, ["chased"], "speed", False),
            (CRITICISM, Reason.CRITICAL, [], "care", False),
            (ANGER, Reason.ANGRY, ["sorry"], "care", True),
        ],
    )
    def test_left_out_it_is_done_as_the_manual_says(
        self, text: str, why: Reason, heard: list[str], track: str, urgent: bool
    ) -> None:
        talk = waiting()
        decision = talk.customer("Mon 10:05", text)
        assert (calls(decision), says(decision)) == ([why], heard)
        assert (talk.thread.track, call(decision).urgent) == (track, urgent)

    @pytest.mark.parametrize("text", ["any news", "есть новости", "ANY NEWS"])
    def test_in_every_language(self, text: str) -> None:
        assert Reason.CHASES in waiting().customer("Mon 10:05", text).reasons

    @pytest.mark.parametrize("text", ["disgrace", "Безобразие", "😡", "MA QUANTO DEVO ASPETTARE ANCORA"])
    def test_anger_in_words_capitals_and_faces(self, text: str) -> None:
        assert Reason.ANGRY in waiting().customer("Mon 10:05", text).reasons

    def test_nobody_is_called_nothing_said_and_no_track_where_the_file_says_so(self) -> None:
        talk = waiting(desk(chaser=Signal(call=False)))
        decision = talk.customer("Mon 10:05", NEWS)
        assert decision.reasons == (Reason.STILL_OWES, Reason.CHASES)
        assert (decision.effects, talk.thread.track) == ((), "")

    def test_a_new_debt_may_show_it_in_its_first_message(self) -> None:
        decision = Conversation(FEELING).customer("Mon 10:00", ANGER)
        assert (calls(decision), says(decision)) == ([Reason.ANGRY], ["sorry"])


class TestChasing:
    def test_whoever_has_written_nothing_before_asks_nothing_again(self) -> None:
        decision = Conversation(FEELING).customer("Mon 10:00", NEWS)
        assert (decision.reasons, decision.effects) == ((Reason.OWES,), ())

    def test_after_an_answer_of_ours_they_do(self) -> None:
        talk = waiting()
        talk.person("Mon 10:05")
        assert calls(talk.customer("Tue 10:00", NEWS)) == [Reason.CHASES]

    def test_the_time_that_was_promised_is_named(self) -> None:
        talk = waiting()
        talk.interim("Mon 10:05", promise="Mon 15:00")
        assert say(talk.customer("Mon 11:00", NEWS)).promise == at("Mon 15:00")

    def test_a_time_that_has_passed_is_not(self) -> None:
        assert say(waiting().customer("Mon 11:30", NEWS)).promise is None


class TestOnce:
    @pytest.mark.parametrize("signal", [Signal(say=True), Signal(say=True, call=False)])
    @pytest.mark.parametrize(("name", "text"), [("chaser", NEWS), ("criticism", CRITICISM), ("anger", ANGER)])
    def test_each_is_followed_and_said_once_in_a_debt(self, signal: Signal, name: str, text: str) -> None:
        talk = waiting(desk(**{name: signal}))
        assert len(says(talk.customer("Mon 10:05", text))) == 1
        again = talk.customer("Mon 10:06", text)
        assert (says(again), calls(again)) == ([], [])
        talk.person("Mon 10:07")
        talk.customer("Mon 12:00", "Altro")
        assert len(says(talk.customer("Mon 12:01", text))) == 1

    @pytest.mark.parametrize(("first", "then"), [(ANGER, CRITICISM), (CRITICISM, ANGER)])
    def test_we_are_sorry_once_for_both(self, first: str, then: str) -> None:
        talk = waiting(desk(criticism=Signal(say=True), anger=Signal(say=True)))
        assert says(talk.customer("Mon 10:05", first)) == ["sorry"]
        decision = talk.customer("Mon 10:06", then)
        assert (says(decision), len(calls(decision))) == ([], 1)

    def test_criticism_that_hears_nothing_does_not_silence_anger(self) -> None:
        talk = waiting()
        assert says(talk.customer("Mon 10:05", CRITICISM)) == []
        assert says(talk.customer("Mon 10:06", ANGER)) == ["sorry"]

    def test_of_two_in_one_message_the_graver_is_heard(self) -> None:
        decision = waiting().customer("Mon 10:05", f"{NEWS} {ANGER}")
        assert (calls(decision), says(decision)) == ([Reason.CHASES, Reason.ANGRY], ["sorry"])

    def test_who_asks_for_a_person_hears_of_that(self) -> None:
        decision = waiting().customer("Mon 10:05", f"{ANGER}, un operatore")
        assert says(decision) == ["person_asked_open"]
        assert call(decision).whys == (Reason.ASKS_PERSON, Reason.ANGRY)

    def test_at_closed_hours_the_hours_are_said(self) -> None:
        talk = waiting()
        assert says(talk.customer("Mon 20:00", ANGER)) == ["closed"]
        assert says(talk.customer("Mon 20:01", NEWS)) == []

    def test_it_stands_for_we_are_on_it(self) -> None:
        talk = waiting()
        talk.customer("Mon 10:05", ANGER)
        assert [text for _, decision in talk.ticks_until("Mon 17:59") for text in says(decision)] == []

    def test_a_person_who_is_there_hears_it_alone(self) -> None:
        talk = waiting()
        talk.claim("Mon 10:04")
        decision = talk.customer("Mon 10:05", ANGER)
        assert (decision.effects, talk.thread.track) == ((), "")


ASKING: dict[str, Any] = {"questions": {"shop": Question(text={"it": "Dove?", "en": "Where?"})}}


class TestQuestionsOfOurs:
    @pytest.mark.parametrize("text", [NEWS, CRITICISM, ANGER])
    def test_whoever_shows_a_signal_is_asked_nothing_then_or_later(self, text: str) -> None:
        talk = Conversation(desk(chaser=Signal(call=False)).model_copy(update=ASKING))
        talk.thread = talk.thread.model_copy(update={"answered": True, "rev": 1})
        talk.customer("Mon 10:00", text)
        talk.customer("Mon 10:01", "La sedia")
        assert "ask" not in [one.text for one in talk.said]

    def test_nor_whoever_has_a_person_s_word_for_the_time_being(self) -> None:
        talk = Conversation(FEELING.model_copy(update=ASKING))
        talk.interim("Mon 10:00", promise="Mon 15:00")
        assert says(talk.customer("Mon 11:00", "La sedia")) == []

    def test_nor_who_has_only_greeted(self) -> None:
        talk = Conversation(FEELING.model_copy(update=ASKING))
        assert says(talk.customer("Mon 10:00", "Buongiorno")) == []
        assert says(talk.customer("Mon 10:01", "La sedia")) == ["ask"]
