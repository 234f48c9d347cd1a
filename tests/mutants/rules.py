"""Faults in the rules: of what is answered, asked, said and called, with the tests that notice them."""

from tests.mutants.mutant import Mutant

OFFERS = "tests/unit/test_decide_offers.py::"
DEADLINES = "tests/unit/test_decide_deadlines.py::"
PAGES = "tests/unit/test_decide_pages.py::"
SIGNALS = "tests/unit/test_decide_signals.py::"
NOISE = "tests/unit/test_decide_noise.py::"
OPENLY = "tests/unit/test_decide_public.py::"
ACCOUNTS = "tests/unit/test_decide_accounts.py::"
LANGUAGE = "tests/unit/test_decide_language.py::"
PROPERTIES = "tests/unit/test_decide_properties.py::"
ROUTING = "tests/unit/test_routing.py::"
NOTIFIER = "tests/integration/test_notifier.py::"

RULES = (
    # ----- automatic answers and their yes ---------------------------------------------------------
    Mutant(
        name="any answer is a yes",
        file="domain/offers.py",
        old="    if event.payload != YES and not said:\n        return False\n",
        new="",
        tests=(f"{OFFERS}TestAFrequentQuestion::test_all_else_goes_to_a_person",),
    ),
    Mutant(
        name="a yes said to a person settles what a machine answered",
        file="domain/offers.py",
        old="meaning.yes and not present",
        new="meaning.yes",
        tests=(f"{OFFERS}TestWhatIsNoYes::test_said_to_a_person_it_settles_nothing_then_or_later",),
    ),
    Mutant(
        name="a machine says yes",
        file="domain/offers.py",
        old="if event.automatic or event.test or not event.addressed:",
        new="if False:",
        tests=(f"{OFFERS}TestWhatIsNoYes::test_what_no_customer_says_to_us_settles_nothing",),
    ),
    Mutant(
        name="a yes settles while something else is asked",
        file="domain/offers.py",
        old="if not thread.offered or thread.consulting is not None:",
        new="if not thread.offered:",
        tests=(f"{OFFERS}TestWhatIsNoYes::test_while_something_else_is_asked_a_yes_may_be_its_answer",),
    ),
    Mutant(
        name="whoever asked for people may still say yes to the machine",
        file="domain/on_message.py",
        old='turn.change(consulting=None, offered="")',
        new="turn.change(consulting=None)",
        tests=(f"{OFFERS}TestWhatIsNoYes::test_after_asking_for_people_a_yes_settles_nothing",),
    ),
    Mutant(
        name="an answer that did not help calls nobody",
        file="domain/offers.py",
        old="        turn.call(Reason.FAQ_NOT_ENOUGH)\n",
        new="",
        tests=(f"{OFFERS}TestAFrequentQuestion::test_all_else_goes_to_a_person",),
    ),
    Mutant(
        name="where the outside knows nothing more an offer stays open",
        file="domain/on_consulted.py",
        old="        turn.because(Reason.FAQ_UNKNOWN)\n        offers.decline(turn)\n",
        new="        turn.because(Reason.FAQ_UNKNOWN)\n",
        tests=(f"{OFFERS}TestOrders::test_and_where_nothing_comes_of_it_a_person_follows",),
    ),
    Mutant(
        name="a no after the yes is nothing",
        file="domain/offers.py",
        old="return event.payload == YES and not thread.offered",
        new="return event.payload in (YES, NO) and not thread.offered",
        tests=(f"{OFFERS}TestButtons::test_a_no_after_the_yes_wants_help",),
    ),
    Mutant(
        name="a closed desk hands on without saying when it opens",
        file="domain/voice.py",
        old="if not turn.is_open and not (declined and _knows_opening(turn)):",
        new="if not turn.is_open and not declined:",
        tests=(
            f"{OFFERS}TestAFrequentQuestion::"
            "test_at_closed_hours_the_handing_on_is_the_hours_unless_they_were_told",
        ),
    ),
    Mutant(
        name="an automatic answer settles",
        file="domain/offers.py",
        old="    turn.change(offered=entry, consulting=None, answered=True, greeted=False)\n",
        new="    turn.change(**NO_DEBT)\n",
        tests=(f"{OFFERS}TestAFrequentQuestion::test_it_is_answered_at_any_hour_and_stays_owed",),
    ),
    # ----- waiting for the outside -----------------------------------------------------------------
    Mutant(
        name="two voices: one for the message, one for the answer from outside",
        file="domain/on_message.py",
        old="return consulting is not None and turn.now < consulting and not turn.called",
        new="return False",
        tests=(
            f"{OFFERS}TestWhileTheOutsideIsAsked::test_further_messages_hear_nothing_else",
            f"{PROPERTIES}test_one_voice_at_once_and_nothing_twice",
        ),
    ),
    Mutant(
        name="an answer that was overtaken is told",
        file="domain/on_consulted.py",
        old="thread.consulting is None or event.until not in (None, thread.consulting)",
        new="thread.consulting is None",
        tests=(
            f"{OFFERS}TestWhileTheOutsideIsAsked::test_only_the_newest_answer_is_waited_for",
            f"{OFFERS}TestWhileTheOutsideIsAsked::"
            "test_an_answer_of_a_debt_that_is_settled_is_not_the_next_ones",
        ),
    ),
    Mutant(
        name="an answer that came too late is told",
        file="domain/on_consulted.py",
        old="not thread.owes or thread.consulting is None or event.until not in (None, thread.consulting)",
        new="False",
        tests=(f"{OFFERS}TestNoAnswerFromOutside::test_what_does_not_come_in_time_is_gone_without",),
    ),
    Mutant(
        name="the outside speaks while a person is there",
        file="domain/on_consulted.py",
        old="    if thread.person_present(turn.now):\n        turn.because(Reason.PERSON_PRESENT)\n"
        "    elif event.order",
        new="    if False:\n        pass\n    elif event.order",
        tests=(f"{OFFERS}TestWhileTheOutsideIsAsked::test_where_a_person_has_come_the_answer_is_not_told",),
    ),
    Mutant(
        name="an urgent message waits for the outside",
        file="domain/asking.py",
        old="if event.group or event.forwarded or turn.called:",
        new="if event.group or event.forwarded:",
        tests=(f"{OFFERS}TestAsking::test_who_needs_a_person_is_given_no_automatic_answer",),
    ),
    Mutant(
        name="a ref keeps from asking what else there is to ask",
        file="domain/on_message.py",
        old="    _notice(turn, event)\n    if not offers",
        new="    _notice(turn, event)\n    if event.ref:\n        consult(turn, event, meaning)\n"
        "    if not offers",
        tests=(f"{ACCOUNTS}TestTheRef::test_it_does_not_keep_from_asking_what_else_there_is_to_ask",),
    ),
    Mutant(
        name="an order that was told is told again",
        file="domain/asking.py",
        old="if thread.offered == ORDER or Reason.FAQ_NOT_ENOUGH in thread.escalated:",
        new="if False:",
        tests=(f"{OFFERS}TestOrders::test_what_follows_goes_to_a_person_also_with_its_number",),
    ),
    Mutant(
        name="how to prove an order is said again and again",
        file="domain/on_consulted.py",
        old="if turn.call(Reason.ORDER_UNPROVED):",
        new="if turn.call(Reason.ORDER_UNPROVED) or True:",
        tests=(f"{OFFERS}TestOrders::test_how_to_prove_it_is_said_once",),
    ),
    Mutant(
        name="over load, whoever has taken it since gives it back",
        file="domain/on_consulted.py",
        old='thread.claimed_by != "" and event.person in ("", thread.claimed_by)',
        new='thread.claimed_by != ""',
        tests=(f"{PAGES}TestGivingBack::test_whoever_has_taken_it_since_keeps_it",),
    ),
    # ----- deadlines and pages ---------------------------------------------------------------------
    Mutant(
        name="the next look is found before the call is made",
        file="domain/turn.py",
        old="        self.make_call()\n        self.change(due=",
        new="        self.change(due=",
        tests=(f"{PAGES}TestLevels::test_a_call_for_what_the_outside_said_is_paged_in_time",),
    ),
    Mutant(
        name="we are on it, right after something else was said",
        file="domain/turn.py",
        old="            self.change(on_it=True)  # what is said just now stands for it\n",
        new="            pass\n",
        tests=(
            f"{OFFERS}TestNoAnswerFromOutside::test_we_are_on_it_is_not_said_right_after_what_was_just_said",
        ),
    ),
    Mutant(
        name="we are on it, while an answer waits for its yes",
        file="domain/timers.py",
        old="after = 0 if thread.consulting is not None or thread.offered else",
        new="after = 0 if thread.consulting is not None else",
        tests=(f"{OFFERS}TestAFrequentQuestion::test_who_says_nothing_is_a_persons_as_well",),
    ),
    Mutant(
        name="a promise is kept an eye on only once its writer has left",
        file="domain/on_people.py",
        old="person_until=min(now + desk.policy.person_quiet, max(promise, now)),",
        new="person_until=now + desk.policy.person_quiet,",
        tests=(
            f"{DEADLINES}TestAnswersForTheTimeBeing::"
            "test_a_promise_sooner_than_its_writer_is_gone_is_kept_an_eye_on_as_well",
        ),
    ),
    Mutant(
        name="a promise written before the newest message was read settles",
        file="domain/on_people.py",
        old="if event.promise is not None:",
        new="if event.promise is not None and event.owing_from is None:",
        tests=(
            f"{DEADLINES}TestAnswersForTheTimeBeing::"
            "test_it_settles_nothing_that_its_writer_had_not_seen_either",
        ),
    ),
    Mutant(
        name="an older reply that failed forgets a later promise",
        file="domain/on_people.py",
        old="if event.owed_since is None:  # it",
        new="if True:  # it",
        tests=(
            f"{DEADLINES}TestAnswersForTheTimeBeing::"
            "test_an_older_reply_that_failed_leaves_a_later_promise_watched",
        ),
    ),
    Mutant(
        name="what a machine wrote and is wanted hears an automatic voice",
        file="domain/on_people.py",
        old="event.first, quiet=by_machine)",
        new="event.first)",
        tests=(f"{NOISE}TestBroughtBack::test_what_a_machine_wrote_is_answered_by_people_alone",),
    ),
    Mutant(
        name="a further reason puts off the next level",
        file="domain/turn.py",
        old="return self._again or level != self.thread.level or self._is_urgent_now()",
        new="return True",
        tests=(f"{PAGES}TestLevels::test_a_further_reason_does_not_put_off_the_next_level",),
    ),
    Mutant(
        name="what becomes urgent at night has the time of what was not",
        file="domain/turn.py",
        old="level != self.thread.level or self._is_urgent_now()",
        new="level != self.thread.level",
        tests=(f"{PAGES}TestClosedHours::test_what_becomes_urgent_at_night_has_its_own_time",),
    ),
    Mutant(
        name="what is fresh at the opening waits with what has waited",
        file="domain/turn.py",
        old="digest=self._calls == [Reason.WAITS_AT_OPENING],",
        new="digest=Reason.WAITS_AT_OPENING in self._calls,",
        tests=(
            f"{PAGES}TestClosedHours::"
            "test_a_fresh_reason_at_the_opening_is_told_at_once_and_not_with_what_waited",
        ),
    ),
    Mutant(
        name="a page that is due with a call is skipped, and due at once again",
        file="domain/on_tick.py",
        old="if at is None or turn.now < at or turn.raised:",
        new="if at is None or turn.now < at or turn.called:",
        tests=(f"{PAGES}TestLevels::test_what_is_due_with_a_page_is_told_with_it_at_the_next_level",),
    ),
    Mutant(
        name="people are paged at night for what can wait",
        file="domain/on_tick.py",
        old="    elif not turn.is_open:\n        return\n",
        new="",
        tests=(f"{PAGES}TestClosedHours::test_nor_one_that_comes_after_closing",),
    ),
    Mutant(
        name="taking it does not end the pages",
        file="domain/on_people.py",
        old="person_until=now + desk.policy.person_quiet, paged=None)",
        new="person_until=now + desk.policy.person_quiet)",
        tests=(f"{PAGES}TestTaking::test_whoever_takes_it_ends_the_pages_of_this_escalation",),
    ),
    Mutant(
        name="a claim of an earlier debt takes the next escalation",
        file="domain/timers.py",
        old="    if thread.paged is None or not thread.level:\n",
        new="    if thread.paged is None or not thread.level or thread.claimed_by:\n",
        tests=(f"{PAGES}TestTaking::test_a_claim_of_an_earlier_debt_takes_nothing",),
    ),
    Mutant(
        name="what was given back is paged no more",
        file="domain/on_message.py",
        old='turn.change(claimed_by="", paged=turn.now if thread.level else None)',
        new='turn.change(claimed_by="")',
        tests=(f"{PAGES}TestGivingBack::test_then_the_pages_go_on",),
    ),
    Mutant(
        name="what was taken and forgotten comes back to nobody",
        file="domain/timers.py",
        old="    for call_again in (page_at, silent_at):",
        new="    for call_again in (page_at,):",
        tests=(f"{PAGES}TestForgotten",),
    ),
    Mutant(
        name="what was taken and forgotten is told once and never paged",
        file="domain/on_tick.py",
        old='turn.change(claimed_by="", paged=turn.now if thread.level else None)',
        new='turn.change(claimed_by="")',
        tests=(f"{PAGES}TestForgotten",),
    ),
    Mutant(
        name="what can wait is given back at night",
        file="domain/on_tick.py",
        old="turn.now < at or not (turn.is_open or desk.is_urgent(thread.escalated)):",
        new="turn.now < at:",
        tests=(f"{PAGES}TestForgotten::test_and_never_by_night",),
    ),
    Mutant(
        name="a promise of a person is not waited for",
        file="domain/timers.py",
        old="promised = thread.promised if thread.interim else None",
        new="promised = None",
        tests=(f"{PAGES}TestForgotten::test_a_promise_is_waited_for",),
    ),
    # ----- signals and questions -------------------------------------------------------------------
    Mutant(
        name="what calls nobody is said at every message",
        file="domain/on_message.py",
        old="    elif turn.note(why):\n        turn.because(why)\n",
        new="    else:\n        turn.note(why)\n        turn.because(why)\n",
        tests=(f"{SIGNALS}TestOnce::test_each_is_followed_and_said_once_in_a_debt",),
    ),
    Mutant(
        name="sorry for criticism, and sorry for anger",
        file="domain/voice.py",
        old="turn.desk.signal(name).say and not _said_before(turn, text):",
        new="turn.desk.signal(name).say:",
        tests=(f"{SIGNALS}TestOnce::test_we_are_sorry_once_for_both",),
    ),
    Mutant(
        name="who calls for people is asked a question",
        file="domain/voice.py",
        old="or turn.called or thread.level or thread.escalated or thread.interim:",
        new="or False:",
        tests=("tests/unit/test_qualify.py::test_who_calls_for_people_is_asked_nothing",),
    ),
    Mutant(
        name="after a person's word the desk asks by itself",
        file="domain/voice.py",
        old="or thread.escalated or thread.interim:",
        new="or thread.escalated:",
        tests=(f"{SIGNALS}TestQuestionsOfOurs::test_nor_whoever_has_a_person_s_word_for_the_time_being",),
    ),
    Mutant(
        name="a greeting is asked a question",
        file="domain/on_message.py",
        old="meaning.topics, asks=not meaning.greeting)",
        new="meaning.topics)",
        tests=(f"{SIGNALS}TestQuestionsOfOurs::test_nor_who_has_only_greeted",),
    ),
    Mutant(
        name="what comes after a greeting stays with whoever has the greeting",
        file="domain/on_message.py",
        old="        _route(turn, meaning)  # only now is it known what is wanted\n",
        new="        pass\n",
        tests=(f"{DEADLINES}TestWhatMovesThem::test_a_greeting_sets_nothing_what_comes_after_it_does",),
    ),
    Mutant(
        name="a picture is a sticker",
        file="domain/on_message.py",
        old='stickers = {media.kind for media in event.media} == {"sticker"}',
        new='stickers = "sticker" in {media.kind for media in event.media}',
        tests=(f"{NOISE}TestCourtesy::test_what_is_more_than_a_sticker_wants_to_be_seen",),
    ),
    Mutant(
        name="a customer who was brought back is set aside again",
        file="domain/on_message.py",
        old="    if thread.trusted or thread.owes:\n",
        new="    if thread.owes:\n",
        tests=(f"{NOISE}TestBroughtBack::test_nothing_of_theirs_is_set_aside_again",),
    ),
    Mutant(
        name="spam takes the debt out of the queue",
        file="domain/on_message.py",
        old="    if thread.trusted or thread.owes:\n",
        new="    if thread.trusted:\n",
        tests=(
            f"{NOISE}TestSetAside::test_nor_what_a_customer_writes_who_is_owed_an_answer_or_was_answered",
        ),
    ),
    # ----- public, accounts, languages ---------------------------------------------------------------
    Mutant(
        name="led into private twice",
        file="domain/public.py",
        old='if opens and "private" in event.acts:',
        new='if "private" in event.acts:',
        tests=(f"{OPENLY}TestPersonalData::test_asked_to_delete_once_and_led_into_private_once",),
    ),
    Mutant(
        name="personal data stay in public while a person is there",
        file="domain/public.py",
        old='    if exposed and "hide" in event.acts:\n',
        new='    if exposed and "hide" in event.acts and not turn.thread.person_present(turn.now):\n',
        tests=(f"{OPENLY}TestPersonalData::test_it_is_hidden_also_while_a_person_is_there",),
    ),
    Mutant(
        name="in private the opening is told once more",
        file="domain/voice.py",
        old="    if opening is not None:\n        turn.change(told_until=max(opening",
        new="    if False:\n        turn.change(told_until=max(opening",
        tests=(f"{OPENLY}TestHeat::test_the_first_private_words_at_closed_hours_tell_the_opening",),
    ),
    Mutant(
        name="a reply that leaves something owed makes us acknowledge it again",
        file="domain/on_people.py",
        old="    Reason.TO_CARE,\n    Reason.PUBLIC_ACKNOWLEDGED,\n",
        new="",
        tests=(
            f"{OPENLY}TestHeat::test_also_where_a_reply_left_something_owed",
            f"{ACCOUNTS}TestTheWay::test_once_in_a_debt",
        ),
    ),
    Mutant(
        name="the way to the care account is told at every message",
        file="domain/on_message.py",
        old="if not turn.note(Reason.TO_CARE):",
        new="if turn.note(Reason.TO_CARE) and False:",
        tests=(f"{ACCOUNTS}TestTheWay::test_once_in_a_debt",),
    ),
    Mutant(
        name="the debt stays on the official account as well",
        file="domain/on_consulted.py",
        old="    turn.change(**NO_DEBT)\n    turn.because(Reason.FOLLOWED)\n",
        new="    turn.because(Reason.FOLLOWED)\n",
        tests=(f"{ACCOUNTS}TestTheDebtGoesAlong::test_there_it_is_owed_no_more",),
    ),
    Mutant(
        name="the platform's language counts more than the one a person set",
        file="domain/voice.py",
        old='platform = "" if thread.language_set else event.customer.language',
        new="platform = event.customer.language",
        tests=(f"{LANGUAGE}TestWhatAPersonSets",),
    ),
    # ----- who is on duty --------------------------------------------------------------------------
    Mutant(
        name="leave is not asked",
        file="domain/duty.py",
        old='*(f"{days} off" for days in leave)',
        new="*()",
        tests=(f"{ROUTING}test_nobody_on_duty_there",),
    ),
    Mutant(
        name="a team without anybody on duty takes it",
        file="domain/routing.py",
        old="return is_manned(self.desk, team, self.now) or not self._is_open(team)",
        new="return True",
        tests=(f"{ROUTING}test_in_1_000_random_weeks_no_debt_stays_with_a_team_without_anybody_on_duty",),
    ),
    Mutant(
        name="whose shift ends keeps what is owed",
        file="domain/on_tick.py",
        old="        _change_team(turn)\n",
        new="",
        tests=(
            f"{PAGES}TestTeamsOnDuty",
            f"{ROUTING}test_in_500_random_weeks_a_thread_that_owes_has_somebody_on_duty",
        ),
    ),
    Mutant(
        name="a changed desk keeps the hours that it had",
        file="domain/desk.py",
        old="            del vars(copied)[name]\n",
        new="            pass\n",
        tests=("tests/unit/test_bundle_hours.py::test_a_changed_desk_has_the_changed_hours_and_phrases",),
    ),
    Mutant(
        name="a ref leads from one official account to another",
        file="domain/asking.py",
        old=" and not desk.way_to_care(thread.channel, thread.account)",
        new="",
        tests=(f"{ACCOUNTS}TestTheRef::test_an_official_account_is_no_place_to_go_on",),
    ),
    Mutant(
        name="who has followed takes a later debt along",
        file="domain/on_consulted.py",
        old=" or event.since is None or thread.owed_since > event.since",
        new="",
        tests=(f"{ACCOUNTS}TestTheDebtGoesAlong::test_told_late_it_leaves_a_later_debt_there",),
    ),
    Mutant(
        name="what nobody takes is paged six times a day for ever",
        file="domain/timers.py",
        old="beyond > MANY_PAGES",
        new="False",
        tests=(f"{PAGES}TestLevels::test_what_nobody_ever_takes_is_paged_once_a_day_in_the_end",),
    ),
    Mutant(
        name="a post that repeats the company's own address is hidden",
        file="domain/public.py",
        old="return bool(hits and of_others(event.text, hits, turn.desk.contacts))",
        new="return bool(hits)",
        tests=(f"{OPENLY}TestPersonalData::test_the_companys_own_address_stays_and_hides_no_other",),
    ),
    Mutant(
        name="who has asked nothing hears that we are on it",
        file="domain/on_people.py",
        old='turn.owe(now, "", quiet="interim")',
        new='turn.owe(now, "")',
        tests=(
            f"{DEADLINES}TestAnswersForTheTimeBeing::"
            "test_nobody_who_has_asked_nothing_hears_that_we_are_on_it",
        ),
    ),
)
