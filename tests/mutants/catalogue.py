"""The faults that must never be made, each in one line of the core, with the tests that notice it."""

from tests.mutants.mutant import Mutant
from tests.mutants.parts import PARTS
from tests.mutants.rules import RULES

ONCE = "tests/integration/test_once.py::"
REPLY = "tests/integration/test_reply.py::"
SENDER = "tests/integration/test_sender.py::"
RECEIPTS = "tests/integration/test_receipts.py::"
CHANGES = "tests/integration/test_changes.py::"
ALIASES = "tests/integration/test_aliases.py::"
SWEEPER = "tests/integration/test_sweeper.py::"
NOTIFIER = "tests/integration/test_notifier.py::"
GUARDS = "tests/integration/test_guards.py::"
DECIDE = "tests/unit/test_decide.py::"
SITE = "tests/integration/test_webchat.py::"
ONWARD = "tests/integration/test_onward.py::"
TOKENS = "tests/contract/test_webchat.py::"
MEDIA = "tests/integration/test_media.py::"
FETCHING = "tests/integration/test_fetching.py::"
FETCH = "tests/unit/test_fetch.py::"
UNTAGGED = "tests/integration/test_untagged.py::"
PUBLIC = "tests/integration/test_public.py::"

MUTANTS = (
    # ----- the one transaction ------------------------------------------------------------------
    Mutant(
        name="no dedupe condition",
        file="aws/store.py",
        old='_Write("message", _put(items.message_item(thread, change.message, expires), old=True))',
        new='_Write("message", {"Put": {"TableName": environment().table, '
        '"Item": items.message_item(thread, change.message, expires)}})',
        tests=(f"{ONCE}test_a_message_is_stored_once_however_often_it_comes",),
    ),
    Mutant(
        name="no rev condition",
        file="aws/store.py",
        old='update.require("rev = :rev", ":rev", before.rev)',
        new='update.require("attribute_exists(PK)")',
        tests=(f"{ONCE}test_an_answer_in_between_leaves_the_new_message_owed",),
    ),
    Mutant(
        name="rev does not rise",
        file="domain/thread.py",
        old="before.rev + 1 if changed else max(before.rev, 1)",
        new="max(before.rev, 1)",
        tests=(f"{ONCE}test_an_answer_in_between_silences_the_automatic_voice",),
    ),
    Mutant(
        name="settling without seen: last_in is no condition",
        file="aws/store.py",
        old="if change.saw_last_in:",
        new="if False:",
        tests=(
            f"{REPLY}test_a_message_committed_after_the_look_stays_owed",
            f"{RECEIPTS}test_a_message_between_read_and_commit_is_not_settled_unseen",
        ),
    ),
    Mutant(
        name="settling without seen: everything counts as read",
        file="services/reply.py",
        old="if message.key not in read), None)",
        new="if False), None)",
        tests=(f"{REPLY}test_what_the_writer_had_not_seen_stays_owed",),
    ),
    Mutant(
        name="TransactionConflict is not tried again",
        file="aws/store.py",
        old='"ConditionalCheckFailed") for reason in reasons):\n        return Moved()\n',
        new='"ConditionalCheckFailed") for reason in reasons):\n        raise RuntimeError("conflict")\n',
        tests=(f"{ONCE}test_conflicts_are_tried_again",),
    ),
    Mutant(
        name="an effect-only conflict is tried again as it was",
        file="services/inbound.py",
        old="existing |= caused_before",
        new="existing = existing",
        tests=(f"{ONCE}test_an_effect_that_exists_is_not_caused_twice",),
    ),
    Mutant(
        name="an old redelivery moves the window back",
        file="services/inbound.py",
        old="not_newer=written if written < now - OLD and after.window != before.window else None",
        new="not_newer=None",
        tests=(f"{ONCE}test_an_old_redelivery_that_read_an_older_thread_does_not_either",),
    ),
    Mutant(
        name="alias row overwritten",
        file="aws/store.py",
        old='_Write("pointer", _put(pointer_item(id, thread), old=True), id)',
        new='_Write("pointer", {"Put": {"TableName": environment().table, '
        '"Item": pointer_item(id, thread)}}, id)',
        tests=(f"{ALIASES}test_two_threads_with_messages_are_never_merged",),
    ),
    # ----- the webhook --------------------------------------------------------------------------
    Mutant(
        name="kick before commit",
        file="services/inbound.py",
        old="match store.commit(commit):\n            case store.Committed():\n                effects.kick(",
        new="effects.kick(commit.after.id, commit.effects)\n        "
        "match store.commit(commit):\n            case store.Committed():\n                effects.kick(",
        tests=(
            f"{ONCE}test_a_commit_that_fails_leaves_nothing_and_kicks_nothing",
            f"{GUARDS}test_nothing_is_kicked_before_it_is_stored",
        ),
    ),
    Mutant(
        name="200 before commit",
        file="entrypoints.py",
        old='"error": type(error).__name__})\n        return Response(status=503)\n',
        new='"error": type(error).__name__})\n        return channel.acknowledge('
        "request, connection, lambda: True)\n",
        tests=(f"{GUARDS}test_what_is_not_stored_is_not_acknowledged",),
    ),
    Mutant(
        name="signature over re-serialised JSON",
        file="channels/graph.py",
        old="    return any_equal(\n        [f",
        new="    import dataclasses, json\n"
        "    request = dataclasses.replace(request, body=json.dumps(json.loads(request.body), "
        'separators=(",", ":")).encode())\n    return any_equal(\n        [f',
        tests=(
            "tests/contract/test_whatsapp.py::TestSignature::test_reserialised_json_is_not_what_was_signed",
            f"{GUARDS}test_what_is_signed_are_the_bytes",
        ),
    ),
    Mutant(
        name="verified only after an AWS call",
        file="entrypoints.py",
        old="    if not channel.verify(request, connection):\n",
        new="    store.prime()\n    if not channel.verify(request, connection):\n",
        tests=(f"{GUARDS}test_what_is_not_signed_makes_no_call",),
    ),
    Mutant(
        name="quarantine dropped",
        file="entrypoints.py",
        old="        quarantine.quarantine(\n",
        new="        (lambda *given, **named: None)(\n",
        tests=(f"{GUARDS}test_a_signed_body_that_cannot_be_read_is_kept",),
    ),
    Mutant(
        name="a duplicate does not kick again",
        file="services/inbound.py",
        old="effects.kick(commit.after.id, caused)",
        new="effects.kick(commit.after.id, ())",
        tests=(f"{ONCE}test_a_duplicate_kicks_what_the_stored_row_names",),
    ),
    # ----- what the desk says -------------------------------------------------------------------
    Mutant(
        name="told_until is not asked",
        file="domain/voice.py",
        old="return told is not None and turn.now < told",
        new="return False",
        tests=(f"{DECIDE}TestClosedHours::test_it_is_told_once_until_that_opening",),
    ),
    Mutant(
        name="a person present does not silence the sender",
        file="services/automatic.py",
        old="thread.person_present(now) or not (thread.owes or row.say in AFTER_DEBT)",
        new="False",
        tests=(
            f"{SENDER}test_a_person_who_answered_first_wins",
            f"{SENDER}test_a_person_who_claimed_first_wins",
        ),
    ),
    Mutant(
        name="claimed without rev",
        file="services/send.py",
        old="rev=thread.rev if automatic else None",
        new="rev=None",
        tests=(f"{SENDER}test_a_person_between_the_look_and_the_claim_wins",),
    ),
    Mutant(
        name="the cap is not counted",
        file="services/send.py",
        old="counter = outbox.Counter(thread.channel, thread.account, hour, most)",
        new="counter = None",
        tests=(f"{SENDER}test_the_desk_says_so_much_an_hour_for_an_account",),
    ),
    Mutant(
        name="said after not_after",
        file="services/automatic.py",
        old="row.not_after is not None and now >= row.not_after:\n        return",
        new="False:\n        return",
        tests=(f"{SENDER}test_what_came_too_late_is_not_said",),
    ),
    # ----- sending ------------------------------------------------------------------------------
    Mutant(
        name="UNKNOWN sent again",
        file="services/send.py",
        old="    if row.state is not State.PENDING:\n",
        new="    if row.state not in (State.PENDING, State.UNKNOWN):\n",
        tests=(f"{SENDER}test_an_unknown_end_is_shown_and_never_sent_again",),
    ),
    Mutant(
        name="an unknown end goes back to PENDING",
        file="services/send.py",
        old="    outbox.unknown(address, token, outcome.code)\n",
        new='    outbox.postpone(address, token=token, due=real_now(), problem="", code="", hold=False)\n',
        tests=(f"{SENDER}test_an_unknown_end_is_shown_and_never_sent_again",),
    ),
    Mutant(
        name="a row whose sender died is sent again",
        file="services/send.py",
        old='    outbox.unknown(address, row.token, "lease_ended")\n',
        new="    outbox.postpone(\n"
        '        address, token=row.token, due=real_now(), problem="", code="", hold=False)\n',
        tests=(f"{SENDER}test_a_lease_that_ended_is_unknown",),
    ),
    Mutant(
        name="a live lease is ignored",
        file="services/send.py",
        old="row.lease is not None and real_now() < row.lease",
        new="False",
        tests=(f"{SENDER}test_a_live_lease_is_left_alone",),
    ),
    Mutant(
        name="the sender's token is not asked",
        file="services/send.py",
        old="outbox.sent(address, token, outcome.id, also=",
        new="outbox.sent(address, outbox.read(address)[1].token, outcome.id, also=",
        tests=(f"{SENDER}test_a_sender_whose_row_was_taken_does_not_write_over_it",),
    ),
    Mutant(
        name="a hold is not waited for",
        file="services/send.py",
        old="thread.hold is not None and _behind(thread.hold, row)",
        new="False",
        tests=(f"{SENDER}test_later_rows_wait_behind_the_hold_and_keep_their_order",),
    ),
    Mutant(
        name="receipts go back",
        file="aws/outbox.py",
        old="AND (attribute_not_exists(#rank) OR #rank < :rank)",
        new="AND (attribute_not_exists(#rank) OR #rank <> :rank)",
        tests=(f"{RECEIPTS}test_receipts_move_forward_only",),
    ),
    Mutant(
        name="a failed send keeps the debt settled",
        file="domain/on_people.py",
        old="    if since is not None and since != thread.owed_since:\n",
        new="    if False:\n",
        tests=(f"{RECEIPTS}test_a_failed_receipt_gives_the_debt_back_and_calls_people",),
    ),
    Mutant(
        name="a failed row waits for a call that exists already",
        file="services/receipts.py",
        old="        commit = commit.without(outcome.effects)\n",
        new="",
        tests=(f"{RECEIPTS}test_a_call_that_exists_already_does_not_keep_a_failed_row_from_its_end",),
    ),
    # ----- afterwards ---------------------------------------------------------------------------
    Mutant(
        name="a delete leaves the text",
        file="services/changes.py",
        old="emptied=(*emptied, *edits[:EDITS_MOST]),",
        new="emptied=edits[:EDITS_MOST],",
        tests=(f"{CHANGES}test_a_delete_takes_words_and_media_out_of_the_table",),
    ),
    Mutant(
        name="the attempt is not raised before the sweeper's kick",
        file="services/sweep.py",
        old="queues.kick_outbox(entry.thread, entry.key, attempt)",
        new="queues.kick_outbox(entry.thread, entry.key, 0)",
        tests=(f"{SWEEPER}test_each_attempt_is_a_kick_of_its_own",),
    ),
    Mutant(
        name="due is not moved on before the sweeper's kick",
        file="services/sweep.py",
        old="attempt = outbox.next_attempt(address, was_due=entry.due, due=real_now() + NEXT_LOOK)",
        new="attempt = outbox.next_attempt(address, was_due=entry.due, due=entry.due)",
        tests=(f"{SWEEPER}test_a_late_row_is_kicked_again",),
    ),
    Mutant(
        name="the notifier tells all targets again",
        file="services/notify.py",
        old=" if known.get(target.key, 0) < newest}",
        new="}",
        tests=(
            f"{NOTIFIER}test_a_target_that_fails_is_tried_again_alone",
            f"{NOTIFIER}test_a_mailbox_that_fails_is_tried_again_alone",
        ),
    ),
    Mutant(
        name="a thread that owes is resolved without a code",
        file="domain/on_people.py",
        old="if thread.owes and not event.code:",
        new="if False:",
        tests=(f"{REPLY}test_a_thread_that_owes_needs_a_code_to_be_resolved",),
    ),
    # ----- the chat on the site -----------------------------------------------------------------
    Mutant(
        name="a conversation stays open to the anonymous token of whoever has logged in since",
        file="services/visits.py",
        old='return page.visit.owner in ("", visitor.id)',
        new="return True",
        tests=(f"{SITE}test_what_was_written_before_the_log_in_becomes_the_customers",),
    ),
    Mutant(
        name="a conversation is attached to the next customer at the same computer",
        file="aws/visits.py",
        old='condition="attribute_not_exists(#owner) OR #owner = :owner", owner=owner',
        new="owner=owner",
        tests=(f"{SITE}test_two_logins_at_once_claim_a_conversation_once",),
    ),
    Mutant(
        name="a ticket is good for everybody",
        file="channels/webchat_wire.py",
        old='if claims is None or claims["for"] not in (visitor.id, *visitor.earlier):',
        new="if claims is None:",
        tests=(f"{SITE}test_another_visitors_file_is_out_of_reach",),
    ),
    Mutant(
        name="an identity may choose its algorithm",
        file="channels/webchat_tokens.py",
        old='return header.get("alg") == "HS256" and "crit"',
        new='return "crit"',
        tests=(f"{TOKENS}test_the_algorithm_is_not_the_tokens_to_choose",),
    ),
    Mutant(
        name="an identity may last for ever",
        file="channels/webchat_tokens.py",
        old="not now < expires <= now + IDENTITY_SECONDS + LEEWAY",
        new="not now < expires",
        tests=(f"{TOKENS}test_claims_that_do_not_hold",),
    ),
    Mutant(
        name="any page may call",
        file="webchat.py",
        old="if origin not in origins(connection):",
        new="if False:",
        tests=(f"{SITE}test_a_page_of_somebody_else_may_not",),
    ),
    Mutant(
        name="another message under the same id is taken for the first",
        file="services/visits.py",
        old="if not message.deleted and same",
        new="if False and same",
        tests=(f"{SITE}test_another_message_under_the_same_id_is_refused",),
    ),
    Mutant(
        name="a cursor passes over what is said at the beginning of a debt",
        file="services/conversation.py",
        old="floor = min(floor, page.thread.owed_since)",
        new="pass",
        tests=(f"{SITE}test_a_message_whose_key_is_old_is_not_missed",),
    ),
    Mutant(
        name="whoever knows the mail's id writes into the conversation",
        file="services/onward.py",
        old="page.visit.email.casefold() != event.customer.address.casefold()",
        new="False",
        tests=(f"{ONWARD}test_a_mail_of_anybody_else_opens_a_thread_of_its_own",),
    ),
    Mutant(
        name="what was seen is mailed as well",
        file="services/onward.py",
        old="if visit.seen >= row.time:",
        new="if False:",
        tests=(f"{ONWARD}test_an_answer_that_was_seen_does_not",),
    ),
    # ----- files --------------------------------------------------------------------------------------
    Mutant(
        name="any host is asked for a file",
        file="channels/fetch.py",
        old="if not any(_is_host(parts.hostname, host) for host in hosts):",
        new="if False:",
        tests=(
            f"{FETCH}test_only_the_channels_own_hosts",
            f"{MEDIA}test_each_file_of_a_message_has_its_copy_or_its_reason",
        ),
    ),
    Mutant(
        name="a private address is connected to",
        file="channels/fetch.py",
        old="not all(is_public(address) for address in addresses)",
        new="False",
        tests=(f"{FETCH}test_one_private_address_refuses_the_name",),
    ),
    Mutant(
        name="credentials follow a redirect",
        file="channels/fetch.py",
        old="return target, dict(headers) if same else {}",
        new="return target, dict(headers)",
        tests=(f"{MEDIA}test_credentials_do_not_follow_to_another_host",),
    ),
    Mutant(
        name="a file is read without a limit",
        file="channels/fetch.py",
        old="            if len(body) > limit:",
        new="            if False:",
        tests=(f"{FETCHING}test_what_hides_its_size_is_read_no_further_than_the_limit",),
    ),
    Mutant(
        name="what may not be kept is fetched",
        file="services/rows.py",
        old="any(media.keep and not media.at for media in event.media)",
        new="bool(event.media)",
        tests=(f"{MEDIA}test_what_the_platform_forbids_to_keep_is_not_fetched",),
    ),
    Mutant(
        name="a copy outlives its message",
        file="services/media.py",
        old="if not copies.kept(address, given_up):",
        new="if copies.kept(address, given_up) is None:",
        tests=(f"{MEDIA}test_a_message_deleted_while_its_file_is_fetched_leaves_no_copy",),
    ),
    Mutant(
        name="the declared type is believed",
        file="services/media.py",
        old="    if found in ACTIVE:\n        return PLAIN\n",
        new="    if found in ACTIVE:\n        return declared\n",
        tests=(f"{MEDIA}test_the_type_is_told_by_content",),
    ),
    # ----- platforms that return none of our data --------------------------------------------------------
    Mutant(
        name="a receipt beside its message goes back",
        file="aws/outbox.py",
        old='        "attribute_not_exists(#rank) OR #rank < :rank",',
        new='        "attribute_not_exists(#rank) OR #rank <> :rank",',
        tests=(f"{UNTAGGED}test_a_receipt_stands_beside_its_message_and_shows_on_the_page",),
    ),
    Mutant(
        name="our own echo is a person's answer",
        file="services/receipts.py",
        old="if event.id in (row.id, *row.also):",
        new="if False:",
        tests=(f"{UNTAGGED}test_our_own_send_coming_back_is_no_person",),
    ),
    Mutant(
        name="a machine hears an automatic voice",
        file="domain/on_message.py",
        old="    if event.automatic:\n        turn.because(Reason.AUTOMATIC_MESSAGE)\n"
        "    elif thread.public:",
        new="    if thread.public:",
        tests=("tests/unit/test_decide.py::TestWhatAMachineOrAListWrote",),
    ),
    Mutant(
        name="more answers than the platform allows",
        file="services/send.py",
        old="_answered(thread) >= channel.answers",
        new="False",
        tests=(f"{PUBLIC}test_only_so_many_answers_follow_a_message",),
    ),
    *RULES,
    *PARTS,
)
