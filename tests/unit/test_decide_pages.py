"""Who is paged when, until somebody takes it: levels, the night, the opening, taking and giving back."""

from itertools import pairwise

import pytest

from sportello.domain.decide import decide
from sportello.domain.decision import Call, Consult, Decision
from sportello.domain.desk import Hook
from sportello.domain.events import Claim, Inbound
from sportello.domain.model import DAY, HOUR, MINUTE, Instant
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, Person, Target, Team
from sportello.domain.timers import LONGEST_WITHIN, MANY_PAGES
from tests.unit.builders import DESK, Conversation, at, call, calls, inbound, thread

TELL = (Target(email="care@example.com"),)
HOOK = Hook(url="https://example.com/hook", order_pattern=r"\b\d{8}\b")
QUIET = {"on_it_after": 0, "escalate_after": 0}
PAGING = DESK.model_copy(
    update={
        "policy": DESK.policy.model_copy(update=QUIET),
        "escalation": Escalation(
            levels=(
                Level(tell=("team",), within=10 * MINUTE),
                Level(tell=("team",), within=20 * MINUTE),
                Level(tell=("team",), within=30 * MINUTE),
            )
        ),
        "phrases": {
            "it": Phrases(
                asks_person=("operatore",), urgent=("urgente",), chaser=("novità",), anger=("vergogna",)
            )
        },
    }
)
"""Nothing calls but words, so that every later call is a page."""


def paging(when: str, text: str = "operatore") -> Conversation:
    talk = Conversation(PAGING)
    talk.customer(when, text)
    return talk


def pages(talk: Conversation, end: str) -> list[tuple[Instant, int, tuple[Reason, ...]]]:
    found = []
    for when, decision in talk.ticks_until(end):
        for effect in decision.effects:
            if isinstance(effect, Call):
                found.append((when, effect.level, effect.whys))
    return found


class TestLevels:
    def test_each_level_has_its_time_and_the_last_is_paged_ever_more_seldom(self) -> None:
        talk = paging("Mon 09:00")
        assert [(when, level) for when, level, _ in pages(talk, "Mon 18:00")] == [
            (at("Mon 09:10"), 2),
            (at("Mon 09:30"), 3),
            (at("Mon 10:00"), 3),
            (at("Mon 11:00"), 3),
            (at("Mon 13:00"), 3),
            (at("Mon 17:00"), 3),
        ]
        longest = paging("Mon 09:00", "urgente")
        found = [when for when, _, _ in pages(longest, "Fri 09:00")]
        assert max(later - sooner for sooner, later in pairwise(found)) == LONGEST_WITHIN
        assert found[-1] > at("Fri 04:00")

    def test_what_nobody_ever_takes_is_paged_once_a_day_in_the_end(self) -> None:
        talk = paging("Mon 09:00", "urgente")
        found: list[Instant] = []
        while len(found) < MANY_PAGES + 8:
            when, decision = talk.tick_at_due()
            found += [when for effect in decision.effects if isinstance(effect, Call)]
        gaps = [later - sooner for sooner, later in pairwise(found)]
        assert max(gaps[:MANY_PAGES]) <= LONGEST_WITHIN
        assert gaps[-3:] == [DAY] * 3

    def test_all_are_told_in_the_one_escalation_of_the_debt(self) -> None:
        talk = paging("Mon 09:00")
        opened = talk.thread.escalation
        _, decision = talk.tick_at_due()
        assert (call(decision).key, call(decision).whys) == (opened, (Reason.UNACKNOWLEDGED,))
        assert opened == talk.thread.escalation != ""

    def test_a_further_reason_does_not_put_off_the_next_level(self) -> None:
        talk = paging("Mon 09:00")
        talk.customer("Mon 09:05", "Novità?")
        assert call(talk.tick("Mon 09:10")).level == 2

    def test_what_is_due_with_a_page_is_told_with_it_at_the_next_level(self) -> None:
        talk = paging("Mon 09:00")
        talk.desk = PAGING.model_copy(
            update={"policy": PAGING.policy.model_copy(update={"escalate_after": 10 * MINUTE})}
        )
        decision = talk.tick("Mon 09:10")
        assert (call(decision).whys, call(decision).level) == ((Reason.NO_ANSWER, Reason.UNACKNOWLEDGED), 2)
        assert talk.thread.due is not None
        assert talk.thread.due > at("Mon 09:10")

    def test_a_page_counts_from_when_people_were_told_last(self) -> None:
        talk = paging("Mon 09:00")
        talk.tick("Mon 09:17")  # late
        assert talk.thread.due == at("Mon 09:37")

    def test_a_call_for_what_the_outside_said_is_paged_in_time(self) -> None:
        """Its level is known only once it is made: the next look is found after it."""
        talk = Conversation(PAGING.model_copy(update={"hook": HOOK}))
        talk.customer("Mon 09:00", "L'ordine 12345678")
        assert calls(talk.answer("Mon 09:00", unproved=True)) == [Reason.ORDER_UNPROVED]
        assert (talk.thread.level, talk.thread.due) == (1, at("Mon 09:10"))

    def test_fewer_levels_than_were_told_are_paged_at_the_last(self) -> None:
        talk = paging("Mon 09:00")
        talk.thread = talk.thread.model_copy(update={"level": 3})
        talk.desk = PAGING.model_copy(update={"escalation": Escalation()})
        assert call(talk.tick("Mon 17:00")).level == 1


class TestClosedHours:
    def test_what_is_urgent_is_paged_by_the_clock_through_the_night(self) -> None:
        talk = paging("Mon 20:00", "urgente")
        found = pages(talk, "Mon 21:01")
        assert [(when, level) for when, level, _ in found] == [
            (at("Mon 20:10"), 2), (at("Mon 20:30"), 3), (at("Mon 21:00"), 3)
        ]  # fmt: skip
        assert all(one.urgent and not one.digest for one in talk.called)

    def test_anger_is_urgent_where_the_file_says_so(self) -> None:
        assert pages(paging("Mon 20:00", "Vergogna!"), "Mon 21:00") != []
        calm = PAGING.model_copy(
            update={"signals": {"anger": PAGING.signal("anger").model_copy(update={"urgent": False})}}
        )
        talk = Conversation(calm)
        talk.customer("Mon 20:00", "Vergogna!")
        assert pages(talk, "Tue 08:59") == []

    def test_all_else_waits_for_the_opening_and_is_told_again_with_what_has_waited(self) -> None:
        talk = paging("Mon 20:00")
        assert [one.digest for one in talk.called] == [False]
        found = pages(talk, "Tue 09:11")
        assert found == [
            (at("Tue 09:00"), 1, (Reason.WAITS_AT_OPENING,)),
            (at("Tue 09:10"), 2, (Reason.UNACKNOWLEDGED,)),
        ]
        assert [one.digest for one in talk.called] == [False, True, False]

    def test_what_was_called_before_closing_goes_on_at_the_opening(self) -> None:
        assert pages(paging("Mon 17:55"), "Tue 09:06") == [(at("Tue 09:05"), 2, (Reason.UNACKNOWLEDGED,))]
        assert pages(paging("Mon 17:50"), "Tue 09:01") == [(at("Tue 09:00"), 2, (Reason.UNACKNOWLEDGED,))]

    def test_what_becomes_urgent_at_night_has_its_own_time(self) -> None:
        talk = paging("Mon 20:00")
        talk.customer("Mon 23:00", "È urgente")
        assert pages(talk, "Mon 23:11") == [(at("Mon 23:10"), 2, (Reason.UNACKNOWLEDGED,))]

    def test_a_fresh_reason_at_the_opening_is_told_at_once_and_not_with_what_waited(self) -> None:
        talk = paging("Mon 20:00")
        talk.desk = PAGING.model_copy(
            update={"policy": PAGING.policy.model_copy(update={"escalate_after": MINUTE})}
        )
        decision = talk.tick("Tue 09:01")
        assert set(call(decision).whys) == {Reason.NO_ANSWER, Reason.WAITS_AT_OPENING}
        assert not call(decision).digest
        assert talk.thread.paged == at("Tue 09:01")

    @pytest.mark.parametrize("when", ["Tue 08:59", "Mon 23:00"])
    def test_a_look_at_night_pages_nobody(self, when: str) -> None:
        decision = paging("Mon 20:00").tick(when)
        assert calls(decision) == []

    @pytest.mark.parametrize(("called", "when"), [("Mon 17:50", "Mon 18:00"), ("Mon 20:00", "Tue 20:00")])
    def test_nor_one_that_comes_after_closing(self, called: str, when: str) -> None:
        talk = paging(called)
        assert calls(talk.tick(when)) == []
        assert talk.thread.due is not None
        assert talk.thread.due > at(when)


class TestTaking:
    def test_whoever_takes_it_ends_the_pages_of_this_escalation(self) -> None:
        talk = paging("Mon 09:00", "urgente")
        talk.tick("Mon 09:10")
        talk.claim("Mon 09:15")
        assert talk.thread.paged is None
        assert pages(talk, "Mon 13:44") == []

    def test_a_late_answer_is_told_all_the_same_but_nobody_is_paged_for_it(self) -> None:
        late = PAGING.model_copy(update={"policy": PAGING.policy.model_copy(update={"escalate_after": HOUR})})
        talk = Conversation(late)
        talk.customer("Mon 09:00", "operatore")
        talk.claim("Mon 09:05")
        assert pages(talk, "Mon 13:34") == [(at("Mon 10:00"), 1, (Reason.NO_ANSWER,))]

    def test_a_claim_of_an_earlier_debt_takes_nothing(self) -> None:
        talk = paging("Mon 09:00")
        talk.claim("Mon 09:05")
        talk.person("Mon 09:06")
        assert talk.thread.claimed_by == "Agent"
        talk.customer("Mon 11:00", "operatore")
        assert [level for _, level, _ in pages(talk, "Mon 11:31")] == [2, 3]

    def test_nor_one_from_before_people_were_called(self) -> None:
        talk = paging("Mon 09:00", "La sedia è rotta")
        talk.claim("Mon 09:05")
        talk.customer("Mon 10:00", "operatore")
        assert [level for _, level, _ in pages(talk, "Mon 10:31")] == [2, 3]

    def test_an_answer_ends_them_as_well(self) -> None:
        talk = paging("Mon 09:00", "urgente")
        talk.person("Mon 09:05")
        assert pages(talk, "Fri 09:00") == []

    def test_what_stays_owed_is_called_for_anew_from_the_first_level(self) -> None:
        talk = paging("Mon 09:00", "urgente")
        talk.tick("Mon 09:10")
        talk.person("Mon 09:11", unseen="Mon 09:10")
        assert (talk.thread.level, talk.thread.paged) == (0, None)
        assert call(talk.customer("Mon 10:00", "operatore")).level == 1


class TestForgotten:
    """Somebody took it, and nobody answers."""

    def test_it_goes_back_to_the_team_which_is_told_at_the_level_it_had(self) -> None:
        talk = paging("Mon 09:00")
        talk.tick("Mon 09:10")
        talk.claim("Mon 09:15")
        assert pages(talk, "Mon 14:05") == [
            (at("Mon 13:45"), 2, (Reason.HANDED_BACK_SILENT,)),
            (at("Mon 14:05"), 3, (Reason.UNACKNOWLEDGED,)),
        ]
        assert talk.thread.claimed_by == ""

    def test_taken_again_it_is_given_time_again(self) -> None:
        talk = paging("Mon 09:00")
        talk.claim("Mon 09:05")
        talk.ticks_until("Mon 13:35")
        talk.claim("Mon 13:36")
        assert pages(talk, "Mon 17:59") == []
        assert talk.thread.due is not None

    def test_what_is_not_urgent_comes_back_in_service_time(self) -> None:
        talk = paging("Mon 15:00")
        talk.claim("Mon 15:30")
        assert pages(talk, "Tue 11:00") == [(at("Tue 11:00"), 1, (Reason.HANDED_BACK_SILENT,))]

    def test_and_never_by_night(self) -> None:
        talk = paging("Mon 13:00")
        talk.claim("Mon 13:29")
        assert calls(talk.tick("Mon 18:00")) == []  # late, and the desk has closed
        assert pages(talk, "Tue 09:00") == [(at("Tue 09:00"), 1, (Reason.HANDED_BACK_SILENT,))]

    def test_what_is_urgent_comes_back_by_the_clock(self) -> None:
        talk = paging("Mon 19:00", "urgente")
        talk.claim("Mon 19:30")
        assert pages(talk, "Tue 00:00") == [(at("Tue 00:00"), 1, (Reason.HANDED_BACK_SILENT,))]

    def test_also_where_it_was_taken_before_anybody_was_called(self) -> None:
        talk = paging("Mon 09:00", "La sedia è rotta")
        talk.claim("Mon 09:05")
        assert pages(talk, "Mon 13:45")[0] == (at("Mon 13:35"), 1, (Reason.HANDED_BACK_SILENT,))
        assert talk.thread.level == 2

    def test_a_promise_is_waited_for(self) -> None:
        talk = paging("Mon 09:00")
        talk.claim("Mon 09:05")
        talk.interim("Mon 09:10", promise="Mon 17:00")
        assert pages(talk, "Mon 17:00") == [(at("Mon 17:00"), 1, (Reason.PROMISE_LATE,))]
        assert talk.thread.claimed_by == "Agent"

    def test_an_answer_ends_it(self) -> None:
        talk = paging("Mon 09:00")
        talk.claim("Mon 09:05")
        talk.person("Mon 13:00")
        assert pages(talk, "Fri 18:00") == []

    def test_a_desk_may_leave_it_to_whoever_took_it(self) -> None:
        talk = paging("Mon 09:00")
        talk.desk = PAGING.model_copy(
            update={"escalation": PAGING.escalation.model_copy(update={"taken_for": 0})}
        )
        talk.claim("Mon 09:05")
        assert pages(talk, "Fri 18:00") == []

    @pytest.mark.parametrize("text", ["operatore", "La sedia è rotta", "urgente"])
    def test_on_a_desk_that_never_closes_it_is_looked_at_for_as_long_as_it_is_owed(self, text: str) -> None:
        talk = Conversation(PAGING.model_copy(update={"hours": "24/7"}))
        talk.customer("Mon 09:00", text)
        for when in ("Mon 09:05", "Tue 20:00", "Thu 03:00"):
            talk.ticks_until(when)
            talk.claim(when)
            assert talk.thread.due is not None


SHIFTS = PAGING.model_copy(
    update={
        "people": {
            "anna": Person(teams=("care",), shift="Mo-Fr 09:00-12:00", load=2),
            "bruno": Person(teams=("care",), shift="Mo-Fr 09:00-18:00"),
            "carla": Person(teams=("care",), leave=("2026 Nov 24",)),
        },
        "teams": {"care": Team(tell=TELL)},
        "escalation": PAGING.escalation.model_copy(update={"taken_for": 2 * DAY}),
    }
)


def held(by: str, when: str = "Mon 09:30") -> Conversation:
    """People were called, and somebody took it and is no longer in the conversation."""
    talk = Conversation(SHIFTS)
    talk.customer("Mon 09:20", "operatore")
    talk.take(Claim(by=by, action="c", at=at(when)), at(when))
    return talk


class TestGivingBack:
    @pytest.mark.parametrize(
        ("by", "when", "why"),
        [
            ("anna", "Mon 12:01", Reason.HANDED_BACK_OFF_SHIFT),
            ("carla", "Tue 10:00", Reason.HANDED_BACK_LEAVE),
        ],
    )
    def test_off_shift_or_on_leave_it_goes_back_when_the_customer_writes(
        self, by: str, when: str, why: Reason
    ) -> None:
        talk = held(by)
        assert talk.tick(when).effects == ()
        assert talk.thread.claimed_by == by
        assert why in talk.customer(when, "Allora").reasons
        assert (talk.thread.claimed_by, talk.thread.paged) == ("", at(when))

    def test_then_the_pages_go_on(self) -> None:
        talk = held("anna")
        talk.customer("Mon 13:00", "Allora")
        assert [(when, level) for when, level, _ in pages(talk, "Mon 13:11")] == [(at("Mon 13:10"), 2)]

    @pytest.mark.parametrize(
        ("by", "when"), [("bruno", "Mon 13:00"), ("somebody", "Sun 03:00"), ("anna", "Mon 11:00")]
    )
    def test_whoever_is_on_shift_or_not_listed_keeps_it(self, by: str, when: str) -> None:
        talk = held(by)
        talk.customer(when, "Allora")
        assert talk.thread.claimed_by == by

    def test_not_while_they_are_in_the_conversation(self) -> None:
        talk = held("anna", "Mon 11:50")
        talk.customer("Mon 12:10", "Allora")
        assert talk.thread.claimed_by == "anna"

    def test_their_load_is_asked_for_where_it_has_a_limit(self) -> None:
        assert held("anna").customer("Mon 10:30", "Allora").effects[0] == Consult(
            asks=("load",), until=at("Mon 10:31"), person="anna"
        )
        assert held("bruno").customer("Mon 10:30", "Allora").effects == ()
        assert held("anna").customer("Mon 09:40", "Allora").effects == ()  # she is there

    def test_over_it_they_give_it_back(self) -> None:
        talk = held("anna")
        talk.customer("Mon 10:30", "Allora")
        decision = talk.answer("Mon 10:30", over_load=True)
        assert decision.reasons == (Reason.HANDED_BACK_LOAD,)
        assert (talk.thread.claimed_by, talk.thread.due) == ("", at("Mon 10:40"))

    def test_whoever_has_taken_it_since_keeps_it(self) -> None:
        talk = held("anna")
        talk.customer("Mon 10:30", "Allora")
        talk.take(Claim(by="bruno", action="c", at=at("Mon 10:31")), at("Mon 10:31"))
        assert talk.answer("Mon 11:30", over_load=True).reasons == (Reason.NOTHING_NEW,)
        assert talk.thread.claimed_by == "bruno"


class TestTeamsOnDuty:
    def test_where_nobody_is_left_the_next_team_is_told_once(self) -> None:
        desk = DESK.model_copy(
            update={
                "people": {
                    "anna": Person(teams=("care",), shift="Mo-Fr 09:00-12:00"),
                    "bruno": Person(teams=("returns",)),
                }
            }
        )
        talk = Conversation(desk)
        talk.customer("Mon 11:30")
        found = [(when, d) for when, d in talk.ticks_until("Mon 13:00") if Reason.ROUTED_FALLBACK in calls(d)]
        assert [when for when, _ in found] == [at("Mon 12:00")]
        assert (call(found[0][1]).team, talk.thread.team) == ("returns", "returns")

    def test_a_person_in_the_conversation_keeps_it_where_it_is(self) -> None:
        desk = DESK.model_copy(update={"people": {"bruno": Person(teams=("returns",))}})
        here = thread(owed_since=at("Mon 09:50"), team="care", person_until=at("Mon 10:20"), rev=1)
        talk = Conversation(desk, here)
        assert talk.tick("Mon 10:10").reasons == (Reason.PERSON_PRESENT,)
        talk.tick("Mon 10:20")
        assert talk.thread.team == "returns"


def test_a_call_says_what_it_is() -> None:
    event: Inbound = inbound("urgente, un operatore", time=at("Mon 10:00"))
    decision: Decision = decide(thread(), event, PAGING, at("Mon 10:00"))
    told = call(decision)
    assert (told.whys, told.level, told.urgent, told.digest, told.team) == (
        (Reason.URGENT, Reason.ASKS_PERSON), 1, True, False, "care"
    )  # fmt: skip
