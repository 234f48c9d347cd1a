"""First and full answer through ``decide``: warnings, promises that are watched, tiers and tracks."""

from sportello.domain.deadlines import AnswerRule, Answers
from sportello.domain.decision import Consult
from sportello.domain.desk import Signal
from sportello.domain.model import HOUR, MINUTE, Instant
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, Target, Team
from tests.unit.builders import DESK, Conversation, at, call, calls, say, says, thread

TELL = (Target(email="care@example.com"),)
PAGED_LATE = Escalation(levels=(Level(tell=("team",), within=12 * HOUR),) * 3)
"""So that what is told here is told by the deadlines alone."""
PUNCTUAL = DESK.model_copy(
    update={
        "answers": Answers(
            first=HOUR,
            full=6 * HOUR,
            warn_full=2 * HOUR,
            rules=(
                AnswerRule(track="speed", first=20 * MINUTE),
                AnswerRule(tier="gold", full=3 * HOUR),
                AnswerRule(channel="email", first=4 * HOUR),
            ),
        ),
        "escalation": PAGED_LATE,
        "signals": {"chaser": Signal(call=False, track="speed")},
        "phrases": {
            "it": Phrases(chaser=("novità",), greeting=("buongiorno",), topics={"delivery": ("pacco",)})
        },
        "tracks": {"delivery": "speed"},
    }
)


def waiting(when: str = "Mon 09:00", text: str = "La sedia è rotta") -> Conversation:
    talk = Conversation(PUNCTUAL)
    talk.customer(when, text)
    return talk


def called(talk: Conversation, end: str) -> dict[str, Instant]:
    """When people were called for each reason first, if the sweeper comes exactly when due."""
    found: dict[str, Instant] = {}
    for when, decision in talk.ticks_until(end):
        for why in calls(decision):
            found.setdefault(why, when)
    return found


class TestFirstAndFull:
    def test_each_deadline_calls_once_in_service_time(self) -> None:
        found = called(waiting("Mon 17:30"), "Wed 18:00")
        assert {why: found[why] for why in ("no_answer", "first_late", "full_soon", "full_late")} == {
            "no_answer": at("Mon 18:00"),
            "first_late": at("Tue 09:30"),
            "full_soon": at("Tue 12:30"),
            "full_late": at("Tue 14:30"),
        }

    def test_a_warning_tells_the_level_that_was_told_and_what_is_late_the_next(self) -> None:
        talk = waiting()
        talk.ticks_until("Mon 15:00")
        assert [(call.whys, call.level) for call in talk.called] == [
            ((Reason.NO_ANSWER,), 1),
            ((Reason.FIRST_LATE, Reason.PROMISE_LATE), 2),
            ((Reason.FULL_SOON,), 2),
            ((Reason.FULL_LATE,), 3),
        ]

    def test_a_look_that_comes_late_calls_once_for_all_that_is_due(self) -> None:
        decision = waiting().tick("Mon 16:00")
        assert call(decision).whys == (
            Reason.NO_ANSWER, Reason.FIRST_LATE, Reason.FULL_SOON, Reason.FULL_LATE
        )  # fmt: skip
        assert (call(decision).level, says(decision)) == (1, ["on_it"])

    def test_what_a_machine_wrote_is_owed_and_called_for_in_silence(self) -> None:
        talk = Conversation(PUNCTUAL)
        talk.customer("Mon 09:00", "Novità?", automatic="own_address")
        assert list(called(talk, "Mon 15:00")) == ["no_answer", "first_late", "full_soon", "full_late"]
        assert talk.said == []

    def test_public_debts_have_deadlines_and_no_voice(self) -> None:
        talk = Conversation(PUNCTUAL, thread(public=True))
        talk.customer("Mon 09:00", "La sedia è rotta", public=True)
        assert {"no_answer", "first_late"} <= called(talk, "Tue 09:30").keys()
        assert talk.said == []


class TestWhatMovesThem:
    def test_the_topic_sets_the_track_of_a_debt(self) -> None:
        talk = waiting(text="Dov'è il pacco?")
        assert talk.thread.track == "speed"
        assert called(talk, "Mon 09:20")["first_late"] == at("Mon 09:20")

    def test_a_greeting_sets_nothing_what_comes_after_it_does(self) -> None:
        talk = waiting(text="Buongiorno")
        assert talk.thread.track == ""
        talk.customer("Mon 09:01", "Dov'è il pacco?")
        assert talk.thread.track == "speed"

    def test_a_new_debt_has_the_track_of_its_own_topic(self) -> None:
        talk = waiting(text="Dov'è il pacco?")
        talk.person("Mon 09:10")
        talk.customer("Mon 11:00", "La sedia è rotta")
        assert talk.thread.track == ""

    def test_who_asks_for_news_is_answered_sooner(self) -> None:
        talk = waiting()
        assert talk.thread.due == at("Mon 09:10")
        talk.tick("Mon 09:10")
        assert talk.thread.due == at("Mon 09:30")
        talk.customer("Mon 09:15", "Novità?")
        assert talk.thread.due == at("Mon 09:10")
        assert calls(talk.tick("Mon 09:20")) == [Reason.NO_ANSWER, Reason.FIRST_LATE]

    def test_a_tier_that_is_learnt_is_counted_from_the_beginning(self) -> None:
        talk = waiting()
        talk.tick("Mon 09:30")
        facts = Consult(asks=("facts",), until=at("Mon 09:31"))
        talk.answer("Mon 09:31", facts, tier="gold")
        found = called(talk, "Mon 18:00")
        assert (found["full_soon"], found["full_late"]) == (at("Mon 10:30"), at("Mon 12:00"))

    def test_a_tier_that_is_lost_moves_them_back(self) -> None:
        talk = Conversation(PUNCTUAL, thread(tier="gold"))
        talk.customer("Mon 09:00", "La sedia è rotta")
        talk.answer("Mon 09:01", Consult(asks=("facts",), until=at("Mon 09:01")), tier="")
        assert called(talk, "Mon 18:00")["full_late"] == at("Mon 15:00")

    def test_each_channel_has_its_own(self) -> None:
        talk = Conversation(PUNCTUAL, thread(channel="email"))
        talk.customer("Mon 09:00", "La sedia è rotta")
        assert called(talk, "Mon 18:00")["first_late"] == at("Mon 13:00")

    def test_the_hours_of_another_team_move_them(self) -> None:
        night = Team(tell=TELL, hours="Mo-Fr 20:00-23:00")
        desk = PUNCTUAL.model_copy(update={"teams": {"care": Team(tell=TELL), "night": night}})
        talk = Conversation(desk, thread(team="night"))
        talk.customer("Mon 09:00", "La sedia è rotta")
        assert called(talk, "Mon 23:00")["first_late"] == at("Mon 21:00")


class TestWeAreOnIt:
    def test_it_names_the_time_of_the_first_answer_which_is_then_watched(self) -> None:
        talk = waiting()
        talk.tick("Mon 09:10")
        assert talk.said[-1].promise == talk.thread.promised == at("Mon 10:00")
        assert called(talk, "Mon 10:00")["promise_late"] == at("Mon 10:00")

    def test_a_time_that_has_passed_is_not_named(self) -> None:
        talk = waiting()
        assert say(talk.tick("Mon 10:30")).promise is None
        assert talk.thread.promised is None

    def test_who_was_told_that_we_follow_it_up_is_not_told_again(self) -> None:
        desk = PUNCTUAL.model_copy(update={"signals": {"chaser": Signal(say=True)}})
        talk = Conversation(desk)
        talk.customer("Mon 09:00", "La sedia è rotta")
        decision = talk.customer("Mon 09:05", "Novità?")
        assert (says(decision), say(decision).promise) == (["chased"], at("Mon 10:00"))
        assert [text for _, later in talk.ticks_until("Mon 09:59") for text in says(later)] == []
        assert Reason.PROMISE_LATE in called(talk, "Mon 10:00")


class TestAnswersForTheTimeBeing:
    def test_the_full_answer_stays_owed_and_the_promise_is_watched(self) -> None:
        talk = waiting()
        decision = talk.interim("Mon 09:20", promise="Mon 13:00")
        assert (decision.reasons, decision.effects) == ((Reason.INTERIM,), ())
        assert (talk.thread.owed_since, talk.thread.promised) == (at("Mon 09:00"), at("Mon 13:00"))
        assert called(talk, "Mon 18:00") == {
            "full_soon": at("Mon 13:00"), "promise_late": at("Mon 13:00"), "full_late": at("Mon 15:00")
        }  # fmt: skip
        assert talk.said == []

    def test_a_promise_sooner_than_its_writer_is_gone_is_kept_an_eye_on_as_well(self) -> None:
        talk = waiting()
        talk.interim("Mon 09:20", promise="Mon 09:30")
        due, decision = talk.tick_at_due()
        assert (due, calls(decision)) == (at("Mon 09:30"), [Reason.PROMISE_LATE])

    def test_its_writer_is_in_the_conversation_until_then(self) -> None:
        talk = waiting()
        talk.interim("Mon 09:20", promise="Mon 09:30")
        assert talk.thread.person_present(at("Mon 09:29"))
        talk.interim("Mon 09:25", promise="Mon 12:00")
        assert talk.thread.person_until == at("Mon 09:55")

    def test_a_second_promise_takes_the_place_of_the_first_and_is_watched_anew(self) -> None:
        talk = waiting()
        talk.interim("Mon 09:20", promise="Mon 10:00")
        assert Reason.PROMISE_LATE in calls(talk.tick("Mon 10:00"))
        talk.interim("Mon 10:10", promise="Mon 11:00")
        assert Reason.PROMISE_LATE not in talk.thread.escalated
        assert called(talk, "Mon 11:00")["promise_late"] == at("Mon 11:00")

    def test_it_settles_nothing_that_its_writer_had_not_seen_either(self) -> None:
        talk = waiting()
        talk.customer("Mon 09:19", "Anzi, due sedie")
        decision = talk.interim("Mon 09:20", promise="Mon 12:00", unseen="Mon 09:19")
        assert decision.reasons == (Reason.INTERIM,)
        assert (talk.thread.owed_since, talk.thread.promised) == (at("Mon 09:00"), at("Mon 12:00"))

    def test_the_full_answer_ends_the_watch(self) -> None:
        talk = waiting()
        talk.interim("Mon 09:20", promise="Mon 13:00")
        assert talk.person("Mon 12:00").reasons == (Reason.SETTLED,)
        assert (talk.thread.promised, talk.thread.interim, talk.thread.due) == (None, False, None)

    def test_to_whom_nothing_is_owed_a_promise_begins_a_debt(self) -> None:
        talk = Conversation(PUNCTUAL, thread(track="care"))
        talk.interim("Mon 10:00", promise="Mon 12:00")
        assert (talk.thread.owed_since, talk.thread.track, talk.thread.team) == (at("Mon 10:00"), "", "care")
        assert called(talk, "Mon 12:00") == {"promise_late": at("Mon 12:00")}

    def test_pages_stop_until_the_promise_is_late(self) -> None:
        talk = waiting()
        talk.tick("Mon 09:30")
        assert talk.thread.level == 1
        talk.interim("Mon 09:40", promise="Mon 12:00")
        assert (talk.thread.level, talk.thread.paged) == (0, None)
        talk.tick("Mon 12:00")
        assert (talk.thread.level, talk.thread.paged) == (1, at("Mon 12:00"))

    def test_one_that_never_arrived_is_no_promise(self) -> None:
        talk = waiting()
        talk.interim("Mon 09:20", promise="Mon 13:00")
        talk.send_failed("Mon 09:21", owed_since=None)
        assert (talk.thread.interim, talk.thread.promised) == (False, None)
        assert called(talk, "Mon 10:00")["first_late"] == at("Mon 10:00")

    def test_nobody_who_has_asked_nothing_hears_that_we_are_on_it(self) -> None:
        talk = Conversation(PUNCTUAL)
        talk.interim("Mon 10:00", promise="Mon 12:00")
        talk.send_failed("Mon 10:01", owed_since=None)
        talk.ticks_until("Tue 09:00")
        assert talk.said == []
        assert says(talk.customer("Tue 20:00")) == ["closed"]

    def test_an_older_reply_that_failed_leaves_a_later_promise_watched(self) -> None:
        talk = waiting()
        talk.person("Mon 09:10")
        talk.customer("Mon 09:50", "E il tavolo?")
        talk.interim("Mon 09:55", promise="Mon 12:00")
        talk.send_failed("Mon 09:56", owed_since=at("Mon 09:00"), first="La sedia")
        assert (talk.thread.owed_since, talk.thread.promised) == (at("Mon 09:00"), at("Mon 12:00"))
        assert called(talk, "Mon 12:00")["promise_late"] == at("Mon 12:00")
