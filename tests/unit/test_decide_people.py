"""People act: replies, echoes, claims and resolves; what settles a debt and what does not."""

from typing import Any

import pytest

from sportello.domain.decide import decide
from sportello.domain.events import Claim
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, at, call, calls, desk, says, thread


def owing(**flags: Any) -> Conversation:
    """A debt since Monday 10:00 that has had everything: voice, acknowledgement and a call."""
    talk = Conversation()
    talk.customer("Mon 10:00", "Voglio un operatore")
    talk.tick("Mon 10:30")
    talk.thread = talk.thread.model_copy(update=flags)
    return talk


class TestReplies:
    def test_a_reply_settles_all_that_its_writer_had_seen(self) -> None:
        talk = owing()
        decision = talk.person("Mon 10:40")
        assert (decision.reasons, decision.effects) == ((Reason.SETTLED,), ())
        after = talk.thread
        assert (after.owed_since, after.first, after.due) == (None, "", None)
        assert (after.on_it, after.person_told, after.escalation, after.escalated) == (False, False, "", ())

    def test_its_writer_is_in_the_conversation_for_thirty_minutes(self) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        assert talk.thread.person_until == at("Mon 11:10")

    def test_how_long_is_a_setting(self) -> None:
        talk = Conversation(desk(person_quiet=0))
        talk.person("Mon 20:00")
        assert says(talk.customer("Mon 20:00")) == ["closed"]

    def test_what_its_writer_had_not_seen_stays_owed_since_it_was_written(self) -> None:
        talk = owing()
        decision = talk.person("Mon 10:40", unseen="Mon 10:39", unseen_first="Anzi no")
        assert (decision.reasons, decision.effects) == ((Reason.UNSEEN_STAYS_OWED,), ())
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 10:39"), "Anzi no")
        assert talk.thread.due == at("Mon 11:10")  # the person is here until then

    def test_what_stays_owed_is_never_owed_since_the_future(self) -> None:
        talk = owing()
        talk.person("Mon 10:40", unseen="Mon 10:45")
        assert talk.thread.owed_since == at("Mon 10:40")

    def test_if_nobody_comes_again_for_what_stays_owed_people_are_called_again(self) -> None:
        talk = owing()
        opened = talk.thread.escalation
        talk.person("Mon 10:40", unseen="Mon 10:39")
        due, decision = talk.tick_at_due()
        assert (due, calls(decision)) == (at("Mon 11:10"), [Reason.NO_ANSWER])
        assert call(decision).key == opened

    def test_what_stays_owed_has_heard_already_that_we_are_on_it(self) -> None:
        talk = owing()
        talk.person("Mon 10:40", unseen="Mon 10:39")
        assert says(talk.tick("Mon 12:00")) == []

    def test_a_reply_to_who_is_owed_nothing_only_brings_the_person_in(self) -> None:
        talk = Conversation()
        decision = talk.person("Mon 20:00")
        assert (decision.reasons, decision.effects) == ((Reason.NOTHING_OWED,), ())
        assert talk.thread.person_until == at("Mon 20:30")
        assert says(talk.customer("Mon 20:10")) == []


class TestEchoes:
    def test_what_a_person_wrote_on_the_phone_settles(self) -> None:
        talk = owing()
        decision = talk.echo("Mon 10:40")
        assert decision.reasons == (Reason.SETTLED,)
        assert talk.thread.owed_since is None
        assert talk.thread.person_until == at("Mon 11:10")

    def test_what_came_after_it_was_written_stays_owed(self) -> None:
        talk = owing()
        decision = talk.echo("Mon 10:40", owing_from=at("Mon 10:38"), owing_first="Anzi no")
        assert decision.reasons == (Reason.UNSEEN_STAYS_OWED,)
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 10:38"), "Anzi no")

    def test_what_another_bot_wrote_never_settles_and_is_nobodys_presence(self) -> None:
        talk = owing()
        before = talk.thread
        decision = talk.echo("Mon 10:40", author="automatic")
        assert (decision.reasons, decision.effects) == ((Reason.AUTOMATIC_ECHO,), ())
        assert talk.thread == before

    def test_an_echo_to_a_thread_that_is_new_brings_the_person_in(self) -> None:
        decision = Conversation().echo("Mon 20:00")
        assert decision.reasons == (Reason.NOTHING_OWED,)
        assert (decision.thread.rev, decision.thread.person_until) == (1, at("Mon 20:30"))


class TestClaims:
    def test_a_claim_brings_the_person_in_and_settles_nothing(self) -> None:
        talk = owing()
        decision = talk.claim("Mon 10:40")
        assert (decision.reasons, decision.effects) == ((Reason.CLAIMED,), ())
        assert (talk.thread.claimed_by, talk.thread.person_until) == ("Agent", at("Mon 11:10"))
        assert talk.thread.owed_since == at("Mon 10:00")

    def test_a_later_claim_takes_over(self) -> None:
        claimed = thread(claimed_by="Agent", person_until=at("Mon 10:05"))
        event = Claim(by="Other agent", action="a", at=at("Mon 10:00"))
        assert decide(claimed, event, DESK, at("Mon 10:00")).thread.claimed_by == "Other agent"


class TestResolving:
    def test_while_an_answer_is_owed_it_is_refused_without_a_code(self) -> None:
        talk = owing()
        before = talk.thread
        decision = talk.resolve("Mon 10:40")
        assert decision.refused
        assert (decision.reasons, decision.effects) == ((Reason.OWES_NEEDS_CODE,), ())
        assert talk.thread == before

    def test_with_a_code_the_debt_is_gone(self) -> None:
        talk = owing(claimed_by="Agent", person_until=at("Mon 11:00"))
        decision = talk.resolve("Mon 10:40", code="spam")
        assert (decision.refused, decision.reasons) == (False, (Reason.RESOLVED,))
        after = talk.thread
        assert (after.owed_since, after.due, after.escalation, after.escalated) == (None, None, "", ())
        assert (after.resolved, after.claimed_by, after.person_until) == ("spam", "", None)

    def test_what_is_answered_needs_no_code(self) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        decision = talk.resolve("Mon 10:41")
        assert (decision.refused, talk.thread.resolved) == (False, "answered")

    def test_resolving_does_not_make_the_closed_hours_speak_again(self) -> None:
        talk = Conversation()
        talk.customer("Mon 20:00")
        talk.resolve("Mon 20:05", code="duplicate")
        assert says(talk.customer("Mon 20:10")) == []


class TestSendsThatFailed:
    def test_the_debt_comes_back_with_its_old_time_and_people_are_called(self) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        decision = talk.send_failed("Mon 10:41", owed_since=at("Mon 10:00"), first="Voglio un operatore")
        assert decision.reasons == (Reason.SEND_FAILED, Reason.DEBT_RETURNS)
        assert (calls(decision), says(decision)) == ([Reason.SEND_FAILED], [])
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 10:00"), "Voglio un operatore")
        assert talk.thread.due is not None

    def test_of_two_debts_the_older_counts(self) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        talk.customer("Mon 10:45", "Altra domanda")
        talk.send_failed("Mon 10:46", owed_since=at("Mon 10:00"), first="Voglio un operatore")
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 10:00"), "Voglio un operatore")

    def test_a_debt_that_is_older_still_stays(self) -> None:
        talk = owing()
        decision = talk.send_failed("Mon 10:46", owed_since=at("Mon 10:20"), first="Altro")
        assert decision.reasons == (Reason.SEND_FAILED,)
        assert (talk.thread.owed_since, talk.thread.first) == (at("Mon 10:00"), "Voglio un operatore")

    def test_a_call_that_is_open_gets_the_reason_once(self) -> None:
        talk = owing()
        opened = talk.thread.escalation
        decision = talk.send_failed("Mon 10:46", owed_since=None)
        assert call(decision).key == opened
        again = talk.send_failed("Mon 10:47", owed_since=None)
        assert (again.reasons, again.effects) == ((Reason.SEND_FAILED, Reason.ALREADY_CALLED), ())

    def test_where_nothing_was_owed_people_are_told_and_nothing_is_owed(self) -> None:
        talk = Conversation()
        talk.person("Mon 10:00")
        decision = talk.send_failed("Mon 10:01", owed_since=None)
        assert calls(decision) == [Reason.SEND_FAILED]
        assert (talk.thread.owed_since, talk.thread.due) == (None, None)

    def test_where_nothing_is_owed_each_failure_is_told(self) -> None:
        talk = Conversation()
        talk.send_failed("Mon 10:01", owed_since=None)
        decision = talk.send_failed("Tue 10:01", owed_since=None)
        assert (calls(decision), call(decision).key) == ([Reason.SEND_FAILED], "")

    def test_a_resolved_thread_whose_answer_failed_is_open_again(self) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        talk.resolve("Mon 10:41")
        talk.send_failed("Mon 10:42", owed_since=at("Mon 10:00"))
        assert (talk.thread.owes, talk.thread.resolved) == (True, "")

    @pytest.mark.parametrize(
        ("when", "whys"),
        [("Mon 10:50", [Reason.NO_ANSWER]), ("Mon 11:30", [Reason.NO_ANSWER, Reason.UNACKNOWLEDGED])],
    )
    def test_what_came_back_and_is_not_answered_calls_again(self, when: str, whys: list[Reason]) -> None:
        talk = owing()
        talk.person("Mon 10:40")
        talk.send_failed("Mon 10:41", owed_since=at("Mon 10:00"))
        opened = talk.thread.escalation
        decision = talk.tick(when)
        assert (calls(decision), call(decision).key) == (whys, opened)
