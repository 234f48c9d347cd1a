"""Frequent questions and orders: the outside is asked, its answer told once, and only a yes settles."""

from typing import Any

import pytest

from sportello.domain.decision import Consult
from sportello.domain.desk import Hook, Question
from sportello.domain.events import Kind, OrderFacts
from sportello.domain.faq_words import starts_of
from sportello.domain.model import MINUTE
from sportello.domain.offers import FOLLOW_UP, NO, ORDER, YES
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, asks, at, call, calls, inbound, say, says

ANSWERING = DESK.model_copy(
    update={
        "faq_words": frozenset(starts_of("spedizione", "spedizione")),
        "hook": Hook(url="https://example.com/hook", order_pattern=r"\b\d{8}\b"),
        "phrases": {
            "it": Phrases(
                asks_person=("operatore",),
                urgent=("urgente",),
                anger=("vergogna",),
                chaser=("novità",),
                thanks=("grazie",),
                greeting=("buongiorno",),
                yes=("sì", "utile"),
                no=("no",),
                topics={"delivery": ("pacco", "spedizione")},
            )
        },
    }
)
COSTS = "Quanto costa la spedizione?"
ORDERED = "Dov'è il mio pacco? È l'ordine 12345678"
FACTS = OrderFacts(
    number="12345678", status="spedito", expected="domani", link="https://example.com/12345678"
)


def talking() -> Conversation:
    return Conversation(ANSWERING)


def answered(when: str = "Mon 10:00", later: str = "Mon 10:00") -> Conversation:
    """A frequent question has been answered, and nobody has said whether it helped."""
    talk = talking()
    talk.customer(when, COSTS)
    assert says(talk.answer(later, faq="shipping", buttons=True)) == ["faq"]
    return talk


def told_order() -> Conversation:
    talk = talking()
    talk.customer("Mon 10:00", ORDERED)
    talk.answer("Mon 10:00", order=FACTS)
    return talk


class TestAsking:
    def test_the_voice_waits_for_the_answer_for_a_minute(self) -> None:
        talk = talking()
        decision = talk.customer("Mon 20:00", COSTS)
        assert (says(decision), asks(decision)) == ([], ("faq", "facts"))
        assert decision.reasons == (Reason.OWES, Reason.CONSULTS)
        assert talk.thread.consulting == talk.thread.due == talk.asked[0].until == at("Mon 20:01")

    def test_an_order_number_asks_for_the_order_and_not_for_a_frequent_question(self) -> None:
        assert asks(talking().customer("Mon 10:00", f"{COSTS} Ordine 12345678")) == ("order", "facts")

    def test_what_cannot_be_frequent_asks_only_for_facts_and_the_voice_does_not_wait(self) -> None:
        decision = talking().customer("Mon 20:00", "Mi si è rotta la sedia")
        assert (says(decision), asks(decision)) == (["closed"], ("facts",))
        assert decision.thread.consulting is None

    def test_facts_are_asked_for_once_in_a_debt_and_also_while_a_person_is_there(self) -> None:
        talk = talking()
        talk.claim("Mon 10:00")
        assert asks(talk.customer("Mon 10:01", "La sedia")) == ("facts",)
        assert asks(talk.customer("Mon 10:02", "È rotta")) == ()

    def test_without_a_hook_nobody_is_asked(self) -> None:
        talk = Conversation(ANSWERING.model_copy(update={"hook": Hook(order_pattern=r"\b\d{8}\b")}))
        assert asks(talk.customer("Mon 10:00", ORDERED)) == ()

    def test_a_second_question_of_a_debt_goes_to_a_person_but_not_the_one_after_a_greeting(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", "La sedia è rotta")
        assert asks(talk.customer("Mon 10:01", COSTS)) == ()
        greeting = talking()
        assert asks(greeting.customer("Mon 10:00", "Buongiorno")) == ("facts",)
        assert asks(greeting.customer("Mon 10:01", COSTS)) == ("faq",)

    @pytest.mark.parametrize("words", ["un operatore!", "È urgente.", "Vergogna!"])
    def test_who_needs_a_person_is_given_no_automatic_answer(self, words: str) -> None:
        decision = talking().customer("Mon 10:00", f"{COSTS} {words}")
        assert asks(decision) == ("facts",)
        assert decision.thread.consulting is None

    @pytest.mark.parametrize("changes", [{"group": True}, {"forwarded": True}])
    def test_nor_what_may_be_meant_for_others(self, changes: dict[str, Any]) -> None:
        decision = talking().customer("Mon 10:00", COSTS, **changes)
        assert asks(decision) == ("facts",)

    def test_a_machine_is_not_answered(self) -> None:
        decision = talking().customer("Mon 10:00", COSTS, automatic="own_address")
        assert (asks(decision), says(decision)) == ((), [])


class TestWhileTheOutsideIsAsked:
    def test_further_messages_hear_nothing_else(self) -> None:
        talk = talking()
        talk.customer("Mon 20:00", COSTS)
        decision = talk.customer("Mon 20:00", "per Roma")
        assert (says(decision), decision.reasons) == ([], (Reason.STILL_OWES, Reason.CONSULTS))
        assert says(talk.answer("Mon 20:00", faq="shipping")) == ["faq"]

    @pytest.mark.parametrize(
        ("words", "text"),
        [("operatore", "person_asked_closed"), ("urgente", "closed"), ("Vergogna", "closed")],
    )
    def test_who_calls_for_people_is_answered_at_once_and_the_outside_is_too_late(
        self, words: str, text: str
    ) -> None:
        talk = talking()
        talk.customer("Mon 20:00", COSTS)
        assert says(talk.customer("Mon 20:00", words)) == [text]
        assert talk.thread.consulting is None
        late = talk.answer("Mon 20:00", faq="shipping")
        assert (late.reasons, late.effects, talk.thread.offered) == ((Reason.CAME_TOO_LATE,), (), "")

    def test_only_the_newest_answer_is_waited_for(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", COSTS)
        talk.customer("2026-11-23 10:00:20", "Anzi: l'ordine 12345678")
        first, second = talk.asked
        assert talk.answer("2026-11-23 10:00:21", first, faq="shipping").reasons == (Reason.CAME_TOO_LATE,)
        assert says(talk.answer("2026-11-23 10:00:22", second, order=FACTS)) == ["order"]

    def test_an_answer_of_a_debt_that_is_settled_is_not_the_next_ones(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", COSTS)
        old = talk.asked[0]
        talk.person("Mon 10:00")
        talk.customer("Mon 11:00", "E la spedizione in Francia?")
        assert talk.answer("Mon 11:00", old, faq="shipping").reasons == (Reason.CAME_TOO_LATE,)
        assert talk.thread.consulting == at("Mon 11:01")

    def test_a_second_answer_to_the_same_is_too_late(self) -> None:
        talk = answered()
        assert talk.answer("Mon 10:00", faq="shipping").reasons == (Reason.CAME_TOO_LATE,)

    def test_where_a_person_has_come_the_answer_is_not_told(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", COSTS)
        talk.claim("Mon 10:00")
        decision = talk.answer("Mon 10:00", faq="shipping")
        assert (says(decision), decision.reasons) == ([], (Reason.PERSON_PRESENT,))
        assert (talk.thread.consulting, talk.thread.offered) == (None, "")


class TestNoAnswerFromOutside:
    @pytest.mark.parametrize(("when", "texts"), [("Mon 10:00", []), ("Mon 20:00", ["closed"])])
    def test_what_is_not_known_is_a_persons_and_at_closed_hours_hears_them(
        self, when: str, texts: list[str]
    ) -> None:
        talk = talking()
        talk.customer(when, COSTS)
        decision = talk.answer(when)
        assert (says(decision), decision.reasons[0]) == (texts, Reason.FAQ_UNKNOWN)
        assert talk.thread.owes
        assert talk.thread.due is not None

    def test_what_does_not_come_in_time_is_gone_without(self) -> None:
        talk = talking()
        talk.customer("Mon 20:00", COSTS)
        due, decision = talk.tick_at_due()
        assert (due, says(decision)) == (at("Mon 20:01"), ["closed"])
        assert decision.reasons == (Reason.CONSULT_LATE, Reason.TOLD_HOURS)
        assert say(decision).cause.endswith(f"late-{due}")
        late = talk.answer("Mon 20:02", faq="shipping")
        assert (late.reasons, late.effects) == ((Reason.CAME_TOO_LATE,), ())

    def test_what_could_not_be_asked_is_told_with_its_reason(self) -> None:
        talk = talking()
        talk.customer("Mon 20:00", ORDERED)
        decision = talk.answer("Mon 20:00", problems=("hook_slow",))
        assert decision.reasons == (Reason.CONSULT_FAILED, Reason.FAQ_UNKNOWN, Reason.TOLD_HOURS)

    def test_what_changes_nothing_says_so(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", "La sedia è rotta")
        assert talk.answer("Mon 10:00").reasons == (Reason.NOTHING_NEW,)

    def test_then_the_question_that_helps_is_asked(self) -> None:
        question = Question(topics=("delivery",), text={"it": "Che ordine?", "en": "Which order?"})
        talk = Conversation(ANSWERING.model_copy(update={"questions": {"order": question}}))
        assert says(talk.customer("Mon 10:00", COSTS)) == []
        assert says(talk.answer("Mon 10:00", topics=("delivery",))) == ["ask"]

    def test_we_are_on_it_is_not_said_right_after_what_was_just_said(self) -> None:
        question = Question(text={"it": "Che ordine?", "en": "Which order?"})
        talk = Conversation(ANSWERING.model_copy(update={"questions": {"shop": question}}))
        talk.customer("Mon 10:00", "Buongiorno")
        talk.customer("2026-11-23 10:09:30", COSTS)
        assert says(talk.answer("2026-11-23 10:10:10")) == ["ask"]
        assert [text for _, decision in talk.ticks_until("Mon 10:29") for text in says(decision)] == []


class TestAFrequentQuestion:
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 03:00", "Sun 12:00"])
    def test_it_is_answered_at_any_hour_and_stays_owed(self, when: str) -> None:
        talk = answered(when, when)
        told = talk.said[-1]
        assert (told.text, told.values["entry"], told.buttons, told.why) == (
            "faq", "shipping", True, Reason.FAQ_ANSWERED
        )  # fmt: skip
        assert (talk.thread.offered, talk.thread.owed_since) == ("shipping", at(when))

    @pytest.mark.parametrize("yes", ["sì", "Sì, grazie", "Utile!", "tap"])
    def test_an_explicit_yes_settles_and_is_thanked_for(self, yes: str) -> None:
        talk = answered()
        decision = talk.tap("Mon 10:01", YES, "Sì") if yes == "tap" else talk.customer("Mon 10:01", yes)
        assert (says(decision), decision.reasons) == (["faq_yes"], (Reason.FAQ_HELPED,))
        assert (talk.thread.owes, talk.thread.offered, talk.thread.due) == (False, "", None)
        assert not talk.thread.resolved

    @pytest.mark.parametrize(
        "changes",
        [
            {"text": "no"},
            {"text": "Non è quello che ho chiesto"},
            {"text": "sì, ma per la Francia quanto?"},
            {"text": "Boh"},
            {"text": "", "kind": Kind.MEDIA},
            {"text": "No", "kind": Kind.BUTTON, "payload": NO},
            {"text": "Altro", "kind": Kind.BUTTON, "payload": "other"},
        ],
    )
    @pytest.mark.parametrize(("when", "text"), [("Mon 10:01", "faq_no"), ("Mon 20:01", "closed")])
    def test_all_else_goes_to_a_person(self, changes: dict[str, Any], when: str, text: str) -> None:
        talk = answered(when.replace("01", "00"), when.replace("01", "00"))
        decision = talk.customer(when, **changes)
        assert (calls(decision), says(decision)) == ([Reason.FAQ_NOT_ENOUGH], [text])
        assert (talk.thread.offered, talk.thread.owes) == ("", True)

    def test_who_says_nothing_is_a_persons_as_well(self) -> None:
        talk = answered()
        happened = talk.ticks_until("Mon 11:00")
        assert next(why for _, decision in happened for why in calls(decision)) == Reason.NO_ANSWER
        assert [text for _, decision in happened for text in says(decision)] == []

    def test_the_handing_on_names_the_time_of_the_first_answer_which_is_watched(self) -> None:
        desk = ANSWERING.model_copy(
            update={"answers": ANSWERING.answers.model_copy(update={"first": 60 * MINUTE})}
        )
        talk = Conversation(desk)
        talk.customer("Mon 10:00", COSTS)
        talk.answer("Mon 10:00", faq="shipping")
        assert say(talk.customer("Mon 10:05", "no")).promise == talk.thread.promised == at("Mon 11:00")
        assert Reason.PROMISE_LATE in [why for _, d in talk.ticks_until("Mon 11:00") for why in calls(d)]
        assert "on_it" not in [one.text for one in talk.said]

    def test_at_closed_hours_the_handing_on_is_the_hours_unless_they_were_told(self) -> None:
        long_ago = answered("Mon 20:00", "Mon 20:00")
        long_ago.thread = long_ago.thread.model_copy(update={"told_until": at("2026-11-09 09:00")})
        assert says(long_ago.customer("Mon 20:01", "no")) == ["closed"]
        just_now = answered("Mon 20:00", "Mon 20:00")
        just_now.thread = just_now.thread.model_copy(update={"told_until": at("Tue 09:00")})
        assert says(just_now.customer("Mon 20:01", "no")) == ["faq_no"]

    def test_it_is_handed_on_once(self) -> None:
        talk = answered()
        talk.customer("Mon 10:01", "no")
        decision = talk.customer("Mon 10:02", "no")
        assert (says(decision), calls(decision)) == ([], [])

    def test_who_is_angry_hears_what_the_angry_hear_and_a_person_comes(self) -> None:
        talk = answered()
        decision = talk.customer("Mon 10:01", "Vergogna!")
        assert (says(decision), call(decision).whys) == (["sorry"], (Reason.ANGRY, Reason.FAQ_NOT_ENOUGH))

    def test_after_the_hours_were_told_at_closing_nobody_is_told_them_besides(self) -> None:
        talk = answered("Mon 17:59", "Mon 17:59")
        assert says(talk.tick("Mon 18:05")) == []


class TestWhatIsNoYes:
    def test_a_thumb_and_thanks_leave_it_as_it_is(self) -> None:
        for text in ("👍", "grazie"):
            talk = answered()
            before = talk.thread
            decision = talk.customer("Mon 10:01", text)
            assert (decision.reasons, decision.effects, talk.thread) == ((Reason.THANKS,), (), before)

    @pytest.mark.parametrize("words", ["Vorrei un operatore", "È urgente"])
    def test_after_asking_for_people_a_yes_settles_nothing(self, words: str) -> None:
        talk = answered()
        talk.customer("Mon 10:01", words)
        assert talk.thread.offered == ""
        talk.customer("Mon 10:02", "sì")
        assert talk.thread.owes

    def test_said_to_a_person_it_settles_nothing_then_or_later(self) -> None:
        talk = answered()
        talk.claim("Mon 10:01")
        decision = talk.customer("Mon 10:02", "sì")
        assert (says(decision), decision.reasons) == ([], (Reason.STILL_OWES, Reason.PERSON_PRESENT))
        talk.customer("Mon 11:00", "sì")
        assert talk.thread.owes

    def test_a_tap_while_a_person_is_there_settles_in_silence(self) -> None:
        talk = answered()
        talk.claim("Mon 10:01")
        decision = talk.tap("Mon 10:02", YES)
        assert (says(decision), decision.reasons, talk.thread.owes) == ([], (Reason.FAQ_HELPED,), False)

    @pytest.mark.parametrize("changes", [{"automatic": "own_address"}, {"test": True}, {"addressed": False}])
    def test_what_no_customer_says_to_us_settles_nothing(self, changes: dict[str, Any]) -> None:
        talk = answered()
        decision = talk.customer("Mon 10:01", "sì", **changes)
        assert (says(decision), talk.thread.owes) == ([], True)

    def test_while_something_else_is_asked_a_yes_may_be_its_answer(self) -> None:
        talk = answered()
        talk.customer("Mon 10:01", "L'ordine 12345678")
        assert talk.thread.consulting is not None
        talk.customer("Mon 10:01", "sì")
        assert talk.thread.owes

    @pytest.mark.parametrize("by", ["person", "interim", "resolve"])
    def test_what_a_person_does_takes_the_offer_away(self, by: str) -> None:
        talk = answered()
        if by == "person":
            talk.person("Mon 10:01", unseen="Mon 10:00")
        elif by == "interim":
            talk.interim("Mon 10:01", promise="Mon 12:00")
        else:
            talk.resolve("Mon 10:01", code="done")
        assert talk.thread.offered == ""


class TestButtons:
    def test_a_yes_that_was_said_already_owes_nothing(self) -> None:
        talk = answered()
        talk.tap("Mon 10:01", YES)
        decision = talk.tap("Mon 10:02", YES)
        assert (decision.reasons, decision.effects, talk.thread.owes) == ((Reason.THANKS,), (), False)

    def test_a_no_after_the_yes_wants_help(self) -> None:
        talk = answered()
        talk.tap("Mon 10:01", YES)
        assert talk.tap("Mon 10:02", NO, "No").reasons[0] == Reason.OWES

    def test_a_yes_after_the_no_settles_nothing(self) -> None:
        talk = answered()
        talk.tap("Mon 10:01", NO, "No")
        decision = talk.tap("Mon 10:02", YES)
        assert (decision.effects, talk.thread.owes) == ((), True)

    def test_a_further_question_is_answered_without_asking_anybody(self) -> None:
        talk = answered()
        decision = talk.tap("Mon 10:01", f"{FOLLOW_UP}returns", "Resi")
        assert (says(decision), asks(decision), say(decision).values["entry"]) == (["faq"], (), "returns")
        assert talk.thread.offered == "returns"
        assert says(talk.tap("Mon 10:02", YES)) == ["faq_yes"]

    def test_also_after_a_yes_but_not_after_a_no(self) -> None:
        talk = answered()
        talk.tap("Mon 10:01", YES)
        assert says(talk.tap("Mon 10:02", f"{FOLLOW_UP}returns", "Resi")) == ["faq"]
        talk.tap("Mon 10:03", NO, "No")
        assert says(talk.tap("Mon 10:04", f"{FOLLOW_UP}returns", "Resi")) == []

    @pytest.mark.parametrize("entry", ["", "../x", "A" * 30, "x y"])
    def test_what_is_no_id_leads_nowhere(self, entry: str) -> None:
        decision = answered().tap("Mon 10:01", f"{FOLLOW_UP}{entry}", "Resi")
        assert (says(decision), calls(decision)) == (["faq_no"], [Reason.FAQ_NOT_ENOUGH])


class TestOrders:
    def test_its_state_is_told_once_it_is_theirs(self) -> None:
        talk = told_order()
        told = talk.said[-1]
        assert (told.text, dict(told.values), told.why) == (
            "order",
            {
                "order": "12345678",
                "status": "spedito",
                "expected": "domani",
                "link": "https://example.com/12345678",
            },
            Reason.ORDER_TOLD,
        )
        assert (talk.thread.offered, talk.thread.owes) == (ORDER, True)
        assert says(talk.customer("Mon 10:01", "sì")) == ["faq_yes"]

    def test_what_follows_goes_to_a_person_also_with_its_number(self) -> None:
        talk = told_order()
        decision = talk.customer("Mon 10:01", "12345678, davvero?")
        assert (asks(decision), says(decision)) == ((), ["faq_no"])
        assert calls(decision) == [Reason.FAQ_NOT_ENOUGH]
        assert asks(talk.customer("Mon 10:02", "12345678!")) == ()

    def test_the_number_after_a_frequent_question_asks_for_the_order(self) -> None:
        talk = answered()
        assert asks(talk.customer("Mon 10:01", "È l'ordine 12345678")) == ("order",)
        assert says(talk.answer("Mon 10:01", order=FACTS)) == ["order"]

    @pytest.mark.parametrize("late", [False, True])
    def test_and_where_nothing_comes_of_it_a_person_follows(self, late: bool) -> None:
        talk = answered()
        talk.customer("Mon 10:01", "È l'ordine 12345678")
        decision = talk.tick("Mon 10:02") if late else talk.answer("Mon 10:01")
        assert (calls(decision), says(decision)) == ([Reason.FAQ_NOT_ENOUGH], ["faq_no"])

    def test_it_is_told_to_nobody_who_is_not_shown_to_be_its_customer(self) -> None:
        talk = talking()
        talk.customer("Mon 20:00", ORDERED)
        decision = talk.answer("Mon 20:00", unproved=True)
        assert (says(decision), calls(decision)) == (["order_proof"], [Reason.ORDER_UNPROVED])
        assert (talk.thread.offered, talk.thread.level) == ("", 1)
        assert [text for _, later in talk.ticks_until("Tue 08:59") for text in says(later)] == []

    def test_how_to_prove_it_is_said_once(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", ORDERED)
        talk.answer("Mon 10:00", unproved=True)
        talk.customer("Mon 10:01", "Ordine 12345678")
        decision = talk.answer("Mon 10:01", unproved=True)
        assert (says(decision), calls(decision)) == ([], [])

    def test_the_call_is_paged_again_if_nobody_takes_it(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", ORDERED)
        talk.tick("Mon 10:00")
        talk.answer("Mon 10:00", unproved=True)
        assert Reason.UNACKNOWLEDGED in [why for _, d in talk.ticks_until("Mon 10:16") for why in calls(d)]

    def test_ones_own_contact_after_that_asks_again(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", ORDERED)
        contact = {"kind": Kind.CONTACT, "attested": "+39333000001"}
        talk.answer("Mon 10:00", unproved=True)
        assert asks(talk.customer("Mon 10:01", "", **contact)) == ("order",)
        assert says(talk.answer("Mon 10:01", order=FACTS)) == ["order"]
        assert asks(talk.customer("Mon 10:02", "", kind=Kind.CONTACT)) == ()

    def test_a_contact_out_of_the_blue_asks_for_no_order(self) -> None:
        talk = talking()
        assert asks(talk.customer("Mon 10:00", "", kind=Kind.CONTACT, attested="+39333000001")) == ("facts",)


class TestWhatElseTheOutsideSays:
    def test_a_tier_moves_the_deadlines(self) -> None:
        talk = talking()
        talk.customer("Mon 10:00", "La sedia è rotta")
        decision = talk.answer("Mon 10:00", tier="gold-and-more")
        assert (decision.reasons, talk.thread.tier) == ((Reason.TIER_LEARNT,), "gold-and-mor")
        assert talk.answer("Mon 10:00", tier="gold-and-more").reasons == (Reason.NOTHING_NEW,)
        assert talk.answer("Mon 10:00", tier=None).reasons == (Reason.NOTHING_NEW,)
        assert (talk.answer("Mon 10:00", tier="").reasons, talk.thread.tier) == ((Reason.TIER_LEARNT,), "")

    def test_an_answer_without_a_cause_to_speak_says_nothing(self) -> None:
        talk = talking()
        talk.take(inbound("La sedia", time=at("Mon 20:00")), at("Mon 20:00"))
        facts = Consult(asks=("facts",), until=at("Mon 20:01"))
        assert says(talk.answer("Mon 20:00", facts, faq="shipping")) == []
