"""Faults in what is asked outside, understood, paged and shown, with the tests that notice them."""

from tests.mutants.mutant import Mutant

LEVELS = "tests/integration/test_levels.py::"
INCIDENTS = "tests/integration/test_incidents.py::"
OPENING = "tests/integration/test_opening.py::"
CONSOLE = "tests/integration/test_console.py::"
FOLD = "tests/unit/test_incidents.py::"
RECIPIENTS = "tests/unit/test_escalating.py::"
LINKS = "tests/unit/test_take_link.py::"

PARTS = (
    Mutant(
        name="two notifiers may open two incidents",
        file="aws/incidents.py",
        old='"ConditionExpression": "rev = :was" if rev else "attribute_not_exists(PK)",',
        new='"ConditionExpression": "attribute_exists(PK)" if rev else "attribute_not_exists(PK)",',
        tests=(f"{INCIDENTS}test_however_many_notifiers_there_are_it_is_one_incident",),
    ),
    Mutant(
        name="a call joins an incident as often as it is kicked",
        file="aws/incidents.py",
        old='"(attribute_not_exists(folded) OR folded < :reasons)",',
        new='"attribute_exists(PK)",',
        tests=(f"{INCIDENTS}test_two_notifiers_with_the_same_call_count_it_once",),
    ),
    Mutant(
        name="one conversation may open an incident alone",
        file="domain/incidents.py",
        old="one for one in recent if one.thread != call.thread and",
        new="one for one in recent if",
        tests=(f"{FOLD}test_one_conversation_that_calls_again_and_again_is_one",),
    ),
    Mutant(
        name="an incident never ends",
        file="domain/incidents.py",
        old="at <= wave.last + 2 * within",
        new="at <= wave.last + 200 * within",
        tests=(f"{FOLD}test_an_incident_ends_after_twice_the_time_without_a_call",),
    ),
    Mutant(
        name="nobody on call is nobody told",
        file="domain/escalating.py",
        old="for step in (*levels[first:], *levels[:first]):",
        new="for step in levels[first : first + 1]:",
        tests=(f"{RECIPIENTS}test_nobody_on_call_tells_the_next_level_and_says_so",),
    ),
    Mutant(
        name="who is on leave is called at night",
        file="domain/escalating.py",
        old="if shift.who not in desk.people or is_on_leave(desk, shift.who, now):",
        new="if shift.who not in desk.people:",
        tests=(f"{RECIPIENTS}test_who_is_on_leave_is_not_told",),
    ),
    Mutant(
        name="a link is good for ever",
        file="domain/take_link.py",
        old="if version == _VERSION and now < link.expires",
        new="if version == _VERSION",
        tests=(f"{LINKS}test_it_is_good_for_seven_days_and_not_a_moment_longer",),
    ),
    Mutant(
        name="a link has many spellings",
        file="domain/take_link.py",
        old='return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token else b""',
        new="return raw",
        tests=(f"{LINKS}test_there_is_one_spelling",),
    ),
    Mutant(
        name="opening the link takes it",
        file="console.py",
        old='_take(visit, host) if request.method == "POST" else _show(visit)',
        new='_take(visit, host) if request.method != "HEAD" else _show(visit)',
        tests=(f"{CONSOLE}test_the_page_tells_what_waits",),
    ),
    Mutant(
        name="another site's form takes it",
        file="console.py",
        old="if not _from_our_page(visit.request, host) or fields",
        new="if fields",
        tests=(f"{CONSOLE}test_only_the_pages_own_form_acts",),
    ),
    Mutant(
        name="the slower of two has it",
        file="services/reply.py",
        old="if held_by is not None and thread.claimed_by not in (held_by, event.by):",
        new="if False:",
        tests=(f"{CONSOLE}test_two_at_the_same_moment_one_has_it",),
    ),
    Mutant(
        name="the console's key is made anew by everybody",
        file="aws/console_key.py",
        old="Overwrite=False,",
        new="Overwrite=True,",
        tests=(f"{CONSOLE}test_the_first_notice_makes_the_key_and_nobody_another",),
    ),
    Mutant(
        name="a digest forgets its calls when one comes late",
        file="aws/digests.py",
        old='"size(members) = :members",',
        new='"attribute_exists(members)",',
        tests=(f"{OPENING}test_one_that_comes_while_it_is_told_is_told_after_it",),
    ),
    Mutant(
        name="a call in a digest is not looked at again",
        file="services/opening.py",
        old="    escalations.try_again(address, real_now() + SURELY_TOLD)",
        new="    escalations.done(address, len(call.whys))",
        tests=(f"{OPENING}test_a_call_that_waits_is_looked_at_again_whatever_becomes_of_it",),
    ),
    Mutant(
        name="pages of an incident are each told",
        file="services/notify.py",
        old="if again and call.incident:",
        new="if False:",
        tests=(f"{INCIDENTS}test_pages_of_all_its_conversations_are_one_page_of_the_incident",),
    ),
    Mutant(
        name="numbers alone prove an order",
        file="domain/proof.py",
        old="return canonical_number(number) in set(wanted) and own in set(contacts)",
        new="return canonical_number(number) in set(wanted)",
        tests=("tests/unit/test_company.py",),
    ),
    Mutant(
        name="an answer is committed twice",
        file="aws/enquiries.py",
        old='"attribute_exists(PK) AND attribute_not_exists(#done)"',
        new='"attribute_exists(PK) AND (attribute_not_exists(#done) OR attribute_exists(#done))"',
        tests=("tests/integration/test_consult.py::test_two_at_once_answer_once",),
    ),
    Mutant(
        name="a ref is good for everybody",
        file="aws/refs.py",
        old="OR taken = :taker)",
        new="OR taken <> :taker OR taken = :taker)",
        tests=("tests/integration/test_followed.py::test_only_the_first_goes_on",),
    ),
    Mutant(
        name="a hook may drip for ever",
        file="channels/post.py",
        old="beside.join(seconds)",
        new="beside.join()",
        tests=("tests/unit/test_post.py",),
    ),
    Mutant(
        name="any mail attests its writer",
        file="channels/email_reading.py",
        old="not at.authenticated or",
        new="",
        tests=("tests/contract/test_attested.py::test_any_other_mail_attests_nobody",),
    ),
    Mutant(
        name="private entries are said in public",
        file="services/faq.py",
        old="if best.entry.private and here.public:",
        new="if False:",
        tests=(
            "tests/unit/test_faq.py::test_what_is_not_for_the_public_is_not_said_there_and_nothing_else_instead",
        ),
    ),
    Mutant(
        name="a case of one's own is answered by rote",
        file="services/faq.py",
        old="if reading.handed_on:",
        new="if False:",
        tests=("tests/unit/test_faq.py::test_a_word_more_from_hand_on_silences_every_answer",),
    ),
    Mutant(
        name="the model may say anything",
        file="services/bedrock.py",
        old="entry.id == said.strip()",
        new="entry.id in said",
        tests=("tests/unit/test_faq_bedrock.py::test_anything_but_a_known_id_is_no_answer",),
    ),
    Mutant(
        name="a thumb before any answer is courtesy",
        file="domain/phrases.py",
        old="return self.thanks and (after_answer or self.said_thanks)",
        new="return self.thanks",
        tests=("tests/unit/test_phrases.py",),
    ),
    Mutant(
        name="who asks about spam is spam",
        file="domain/noise.py",
        old='"about_noise" in signs or',
        new="",
        tests=("tests/unit/test_noise.py",),
    ),
    Mutant(
        name="--despite sends what may never be sent",
        file="services/guidelines.py",
        old="not (despite and remark.may_override)",
        new="not despite",
        tests=("tests/integration/test_voice.py::test_despite_does_not_send_what_may_not_be_overridden",),
    ),
    Mutant(
        name="any sixteen digits are a card",
        file="domain/checksums.py",
        old=" and luhn(digits) and len(set",
        new=" and len(set",
        tests=("tests/unit/test_personal_data.py::test_a_card_with_one_wrong_digit_is_none",),
    ),
    Mutant(
        name="the page is open after closing",
        file="directory.py",
        old="min(KEPT_SECONDS, (soonest - view.at) // SECOND)",
        new="KEPT_SECONDS",
        tests=("tests/unit/test_directory.py::test_an_open_desk_is_not_shown_after_it_has_closed",),
    ),
    Mutant(
        name="the page trusts what a care lead writes",
        file="services/directory_page.py",
        old="escape(way.link)",
        new="way.link",
        tests=("tests/unit/test_directory.py::test_what_a_care_lead_writes_is_text",),
    ),
)
