"""What leaves the queue and comes back: spam, newsletters, machines, and courtesy that asks for nothing."""

from typing import Any

import pytest

from sportello.domain.events import Kind, Media
from sportello.domain.model import HOUR
from sportello.domain.phrases import Phrases
from sportello.domain.reasons import Reason
from tests.unit.builders import DESK, Conversation, at, calls, says

NOISY = DESK.model_copy(
    update={
        "phrases": {
            "it": Phrases(
                thanks=("grazie",),
                courtesy=("perfetto", "ok"),
                spam=("vinci", "clicca qui", "guadagna"),
                phishing=("pagina bloccata", "verifica account"),
                newsletter=("disiscriviti", "newsletter"),
            )
        }
    }
)
SPAM = "Vinci e guadagna: clicca qui https://example.com/x"
PHISHING = "Pagina bloccata: verifica account su https://example.com/x"
NEWSLETTER = "La nostra newsletter. Disiscriviti"
STICKER = (Media(kind="sticker", id="1"),)


class TestSetAside:
    @pytest.mark.parametrize(
        ("text", "why"), [(SPAM, Reason.SPAM), (PHISHING, Reason.PHISHING), (NEWSLETTER, Reason.NEWSLETTER)]
    )
    @pytest.mark.parametrize("when", ["Mon 10:00", "Mon 20:00"])
    def test_it_owes_nothing_hears_nothing_and_keeps_its_reason(
        self, text: str, why: Reason, when: str
    ) -> None:
        talk = Conversation(NOISY)
        decision = talk.customer(when, text)
        assert (decision.reasons, decision.effects) == ((why,), ())
        assert (talk.thread.aside, talk.thread.owes, talk.thread.due) == (why, False, None)

    @pytest.mark.parametrize(
        ("automatic", "why"),
        [
            ("auto_submitted", Reason.AUTO_SUBMITTED),
            ("auto_reply", Reason.AUTO_SUBMITTED),
            ("bounce", Reason.AUTO_SUBMITTED),
            ("loop", Reason.AUTO_SUBMITTED),
            ("list", Reason.NEWSLETTER),
        ],
    )
    def test_machines_that_ask_for_nothing(self, automatic: str, why: Reason) -> None:
        talk = Conversation(NOISY)
        assert talk.customer("Mon 20:00", "Fuori ufficio", automatic=automatic).reasons == (why,)
        assert talk.thread.aside == why

    def test_other_machines_wait_for_a_person_in_silence(self) -> None:
        talk = Conversation(NOISY)
        decision = talk.customer("Mon 20:00", "urgente", automatic="no_reply")
        assert decision.reasons == (Reason.OWES, Reason.AUTOMATIC_MESSAGE)
        assert talk.thread.quiet == "no_reply"

    @pytest.mark.parametrize("text", ["Ho vinto io?", "clicca qui non funziona", "Vinci"])
    def test_the_default_is_wants_help(self, text: str) -> None:
        assert Conversation(NOISY).customer("Mon 10:00", text).reasons[0] == Reason.OWES

    def test_what_came_in_a_picture_or_by_a_button_is_never_noise(self) -> None:
        talk = Conversation(NOISY)
        assert talk.customer("Mon 10:00", SPAM, kind=Kind.MEDIA).reasons[0] == Reason.OWES

    def test_nor_what_a_customer_writes_who_is_owed_an_answer_or_was_answered(self) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        assert talk.customer("Mon 10:01", SPAM).reasons == (Reason.STILL_OWES,)
        talk.person("Mon 10:05")
        assert talk.customer("Mon 11:00", SPAM).reasons[0] == Reason.OWES

    def test_a_bounce_leaves_what_is_owed(self) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        before = talk.thread
        decision = talk.customer("Mon 10:01", "Undelivered", automatic="bounce")
        assert (decision.effects, talk.thread) == ((), before)

    def test_the_next_message_that_wants_help_is_none_of_it(self) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", SPAM)
        talk.customer("Mon 11:00", "La sedia è rotta")
        assert (talk.thread.owes, talk.thread.aside) == (True, "")


class TestBroughtBack:
    def aside(self, text: str = SPAM, **changes: Any) -> Conversation:
        talk = Conversation(NOISY)
        talk.thread = talk.thread.model_copy(update={"track": "care"})
        talk.customer("Mon 09:00", text, **changes)
        return talk

    def test_it_is_owed_from_when_it_was_written_and_looked_at_again(self) -> None:
        talk = self.aside()
        decision = talk.wanted("Mon 10:00", since="Mon 09:00", first="Vinci")
        assert decision.reasons == (Reason.WANTED,)
        thread = talk.thread
        assert (thread.owed_since, thread.first, thread.aside, thread.trusted) == (
            at("Mon 09:00"), "Vinci", "", True
        )  # fmt: skip
        assert (thread.team, thread.track, thread.quiet) == ("care", "", "")
        assert thread.due == at("Mon 09:10")  # long past: at the sweeper's next round
        assert calls(talk.tick("Mon 10:01")) == [Reason.NO_ANSWER]

    def test_never_from_the_future(self) -> None:
        talk = self.aside()
        talk.wanted("Mon 10:00", since="Mon 11:00")
        assert talk.thread.owed_since == at("Mon 10:00")

    def test_what_a_machine_wrote_is_answered_by_people_alone(self) -> None:
        talk = self.aside("Fuori ufficio", automatic="auto_submitted")
        talk.wanted("Mon 10:00", since="Mon 09:00")
        happened = talk.ticks_until("Tue 18:00")
        assert [text for _, decision in happened for text in says(decision)] == []
        assert Reason.NO_ANSWER in [why for _, decision in happened for why in calls(decision)]

    def test_whoever_it_was_hears_us_once_they_write_themselves(self) -> None:
        talk = self.aside("Fuori ufficio", automatic="auto_submitted")
        talk.wanted("Mon 10:00", since="Mon 09:00")
        assert says(talk.customer("Mon 20:00", "Siete aperti?")) == ["closed"]

    @pytest.mark.parametrize("changes", [{"text": SPAM}, {"text": "Ferie", "automatic": "auto_reply"}])
    def test_nothing_of_theirs_is_set_aside_again(self, changes: dict[str, Any]) -> None:
        talk = self.aside()
        talk.wanted("Mon 10:00", since="Mon 09:00")
        talk.resolve("Mon 10:01", code="spam")
        assert talk.customer("Mon 12:00", **changes).reasons[0] == Reason.OWES

    def test_where_an_answer_is_owed_already_only_the_trust_is_new(self) -> None:
        talk = self.aside()
        talk.customer("Mon 09:30", "La sedia è rotta")
        since = talk.thread.owed_since
        assert talk.wanted("Mon 10:00", since="Mon 09:00").reasons == (Reason.STILL_OWES,)
        assert (talk.thread.owed_since, talk.thread.trusted) == (since, True)


class TestCourtesy:
    @pytest.mark.parametrize(
        "changes", [{"text": "ok"}, {"text": "👍"}, {"text": "", "kind": Kind.MEDIA, "media": STICKER}]
    )
    def test_alone_it_asks_for_help_after_an_answer_for_nothing(self, changes: dict[str, Any]) -> None:
        assert Conversation(NOISY).customer("Mon 10:00", **changes).reasons[0] == Reason.OWES
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        talk.person("Mon 10:05")
        assert talk.customer("Mon 12:00", **changes).reasons == (Reason.THANKS,)

    @pytest.mark.parametrize("changes", [{"text": "ok"}, {"text": "", "kind": Kind.MEDIA, "media": STICKER}])
    def test_while_an_answer_is_owed_it_adds_nothing_and_is_no_courtesy(
        self, changes: dict[str, Any]
    ) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        assert talk.customer("Mon 10:01", **changes).reasons == (Reason.STILL_OWES,)

    @pytest.mark.parametrize(
        "changes",
        [
            {"text": "ok", "media": STICKER},
            {"text": "", "media": (*STICKER, Media(kind="image", id="2"))},
            {"text": "", "media": ()},
        ],
    )
    def test_what_is_more_than_a_sticker_wants_to_be_seen(self, changes: dict[str, Any]) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        talk.person("Mon 10:05")
        assert talk.customer("Mon 12:00", kind=Kind.MEDIA, **changes).reasons[0] == Reason.OWES

    def test_after_the_next_question_it_is_no_courtesy_any_more(self) -> None:
        talk = Conversation(NOISY)
        talk.customer("Mon 10:00", "La sedia è rotta")
        talk.person("Mon 10:05")
        talk.customer("Mon 12:00", "E il tavolo?")
        talk.resolve("Mon 12:01", code="done")
        assert talk.customer("Mon 12:02", "ok", time=at("Mon 12:02") - HOUR).reasons[0] == Reason.OWES
