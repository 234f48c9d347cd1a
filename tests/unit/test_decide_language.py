"""In which language a conversation is answered, whoever speaks: an event, a deadline, the outside."""

import pytest

from sportello.domain.desk import Question
from sportello.domain.faq_words import starts_of
from sportello.domain.reasons import Reason
from sportello.domain.staff import Target, Team
from tests.unit.builders import DESK, Conversation, asks, at, say, says, thread

TELL = (Target(email="care@example.com"),)
THREE = DESK.model_copy(
    update={
        "languages": ("it", "en", "ru"),
        "faq_words": frozenset(starts_of("spedizione", "spedizione") + starts_of("delivery", "delivery")),
        "teams": {"care": Team(tell=TELL), "moscow": Team(tell=TELL, languages=("ru",))},
    }
)


class TestWhatAPersonSets:
    def test_it_counts_more_than_what_the_platform_and_the_words_say(self) -> None:
        talk = Conversation(THREE)
        talk.customer("Mon 10:00", "Where is my order, please?", language="en")
        assert talk.spoken("Mon 10:01", "ru").reasons == (Reason.LANGUAGE_SET,)
        assert say(talk.customer("Mon 20:00", "Where is my order, please?", language="en")).language == "ru"
        assert talk.thread.language == "ru"

    def test_it_stays_for_debts_to_come_and_can_be_set_again(self) -> None:
        talk = Conversation(THREE)
        talk.spoken("Mon 10:00", "ru")
        talk.customer("Mon 10:01", language="it")
        talk.resolve("Mon 10:02", code="done")
        assert say(talk.customer("Mon 20:00", language="it")).language == "ru"
        talk.spoken("Tue 10:00", "en")
        assert say(talk.customer("Tue 20:00", language="it")).language == "en"

    def test_nothing_else_changes(self) -> None:
        talk = Conversation(THREE)
        talk.customer("Mon 10:00")
        before = talk.thread
        decision = talk.spoken("Mon 10:01", "en")
        assert decision.effects == ()
        kept = {"language": before.language, "language_set": False, "rev": before.rev}
        assert talk.thread.model_copy(update=kept) == before

    def test_whoever_is_in_the_conversation_is_no_matter(self) -> None:
        talk = Conversation(THREE)
        talk.spoken("Mon 10:00", "ru")
        assert not talk.thread.person_present(at("Mon 10:00"))


class TestEveryVoice:
    def test_what_a_deadline_says_is_in_the_threads_language(self) -> None:
        talk = Conversation(THREE)
        talk.customer("Mon 17:45", "Where is my order, please?")
        assert say(talk.tick("Mon 17:55")).language == "en"
        assert say(talk.tick("Mon 18:05")).language == "en"

    def test_the_answer_to_a_frequent_question_is_in_the_language_of_the_question(self) -> None:
        talk = Conversation(THREE, thread(language="it"))
        assert "faq" in asks(talk.customer("Mon 10:00", "How much is delivery?"))
        assert say(talk.answer("Mon 10:00", faq="delivery", language="en")).language == "en"
        other = Conversation(THREE, thread(language="it"))
        other.customer("Mon 10:00", "How much is delivery?")
        assert say(other.answer("Mon 10:00", faq="delivery", language="de")).language == "it"

    def test_what_the_outside_does_not_know_is_said_in_the_threads(self) -> None:
        talk = Conversation(THREE)
        talk.customer("Mon 20:00", "How much is the delivery?")
        assert say(talk.answer("Mon 20:00")).language == "en"

    def test_a_question_of_ours_is_asked_only_in_a_language_it_has(self) -> None:
        only = THREE.model_copy(update={"questions": {"shop": Question(text={"it": "Dove?"})}})
        assert says(Conversation(only).customer("Mon 10:00", "La sedia che ho comprato è rotta")) == ["ask"]
        assert says(Conversation(only).customer("Mon 10:00", "The chair that I bought is broken")) == []

    @pytest.mark.parametrize("text", ["ok", "Order status", "👍👍"])
    def test_too_few_words_are_answered_in_the_desks(self, text: str) -> None:
        talk = Conversation(THREE)
        assert say(talk.customer("Mon 20:00", text)).language == "it"
        assert talk.thread.language == ""


class TestRouting:
    def test_a_language_leads_to_the_team_that_speaks_it(self) -> None:
        talk = Conversation(THREE)
        decision = talk.customer("Mon 10:00", "Здравствуйте, где мой заказ?")
        assert (talk.thread.team, Reason.ROUTED_LANGUAGE in decision.reasons) == ("moscow", True)

    def test_what_a_person_sets_counts_from_the_next_debt_on(self) -> None:
        talk = Conversation(THREE)
        talk.customer("Mon 10:00", "ok")
        talk.spoken("Mon 10:01", "ru")
        assert talk.thread.team == "care"
        talk.person("Mon 10:02")
        talk.customer("Mon 11:00", "ok?")
        assert talk.thread.team == "moscow"
