"""The desk's promises, checked from outside: the world's log and phones, and a scan of the table."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from infra.world.model import Entry, Webhook
from sportello.domain.message import ENDED, Message, State
from sportello.domain.reasons import Reason
from sportello.services.desk import current_desk
from tests.e2e.stage import CHANNELS, Rows, Stage

CLOSED_TEXTS = ("closed", "closing", "person_asked_closed")
NOT_ROWS = frozenset({"edit", "revoke", "system"})
"""WhatsApp's messages that change others instead of being one."""
TAKEN_SILENTLY = ("hang_after_accepting", "reset_after_accepting")
SECRET = re.compile("token|secret|password|key")
"""Names of the fields of an account that nobody may read."""
TELLING = 8
"""What has fewer characters may stand in a log by chance."""


def assert_all_was_kept(stage: Stage) -> None:
    """All of them, of whatever was done on this desk."""
    come_to_rest(stage)
    assert_invariants(stage)
    assert_opaque(stage)
    assert_no_dead_letters(stage)


def come_to_rest(stage: Stage) -> None:
    """What a platform asked us to wait for is over, also for what only the sweep brings up."""
    for _ in range(3):
        for thread in {thread for thread, _ in stage.open_rows()}:
            stage.rows_come_due(thread)
        with suppress(AssertionError):
            stage.settle(15.0)
            return
    stage.settle()


def assert_invariants(stage: Stage) -> None:
    """I1 to I10 of the design; I11 is ``assert_opaque``, I12 is shown by the storm."""
    rows, log = stage.scan(), stage.log()
    assert_stored_once(stage, rows, log)
    assert_sent_once(rows, log)
    assert_closed_hours_told_once(rows)
    assert_silent_while_a_person_is_there(rows)
    assert_automatic_replies_answer_customers(rows)
    assert_platforms_had_nothing_to_refuse(log)
    assert_nothing_resolved_while_owing(rows)
    assert_every_row_ended(rows)
    assert_people_were_told(stage, rows)
    assert_reasons(rows)


def assert_stored_once(stage: Stage, rows: Rows, log: list[Entry]) -> None:
    """I1: what was answered 200 is one row; nothing is stored twice."""
    stored = Counter(
        (rows.threads[thread].channel, message.id)
        for thread, messages in rows.messages.items()
        for message in messages
        if message.direction == "in" and message.kind != "service"
    )
    twice = [id for id, count in stored.items() if count > 1]
    assert not twice, f"I1: stored more than once: {twice}"
    accepted = {entry.id for entry in log if entry.direction == "webhook" and entry.status == 200}
    expected = {
        (webhook.channel, id)
        for webhook in stage.desk.world.state.webhooks.values()
        if webhook.id in accepted | stage.accepted
        for id in message_ids(webhook)
    }
    kept = quarantined(stage)
    lost = [id for id in expected - stored.keys() if not any(holds(body, id[1]) for body in kept)]
    assert not lost, f"I1, I10: answered 200, and neither stored nor put aside: {lost}"


def quarantined(stage: Stage) -> list[str]:
    """What lies there of bodies that could not be read, whole or in part, without spaces and escapes."""
    bucket = stage.desk.deployed.outputs["BucketName"]
    s3 = stage.desk.deployed.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="quarantine/")
    found = [item["Key"] for page in pages for item in page.get("Contents", ())]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in found]
    return [body.decode("utf-8", "replace").replace(" ", "").replace("\\", "") for body in bodies]


def holds(body: str, id: str) -> bool:
    """Whether a platform's message stands in a body; Telegram's id is a chat's and a number."""
    chat, _, number = id.partition(":")
    return id in body or (bool(number) and f'"id":{chat}' in body and f'"message_id":{number},' in body)


def message_ids(webhook: Webhook) -> Iterator[str]:
    """Platform ids of the customers' messages in a webhook, as the table keeps them.

    Of the two channels that all tests play on; ``test_channels`` looks at each of the others.
    """
    if webhook.channel not in CHANNELS:
        return
    body = json.loads(webhook.body)
    if webhook.channel == "telegram":
        if message := body.get("message"):
            yield f"{message['chat']['id']}:{message['message_id']}"
        return
    for entry in body["entry"]:
        for change in entry["changes"]:
            for message in change["value"].get("messages", ()):
                if message["type"] not in NOT_ROWS:
                    yield message["id"]


def assert_sent_once(rows: Rows, log: list[Entry]) -> None:
    """I2: no effect reached the platform twice, and what is SENT did reach it."""
    taken = [entry for entry in log if was_taken(entry)]
    tags = Counter(
        entry.request["biz_opaque_callback_data"] for entry in taken if entry.platform == "whatsapp"
    )
    twice = [tag for tag, count in tags.items() if count > 1]
    assert not twice, f"I2: sent more than once: {twice}"
    at_platform: Counter[tuple[str, str, str]] = Counter(
        (entry.platform, entry.address, text_of(entry)) for entry in taken
    )
    may_be, must_be = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for thread, row in rows.outbox():
        owner = rows.threads[thread]
        if owner.channel not in CHANNELS:
            continue
        place = (owner.channel, owner.to.removeprefix("+"), row.text)
        may_be[place] += row.state in (State.SENT, State.UNKNOWN, State.FAILED)
        must_be[place] += row.state is State.SENT
    assert at_platform <= may_be, f"I2: at the platform without a row: {at_platform - may_be}"
    assert must_be <= at_platform, f"I2: SENT and not at the platform: {must_be - at_platform}"


def was_taken(entry: Entry) -> bool:
    """A message that the platform took, whether it said so or not."""
    if not entry.sends or entry.platform not in CHANNELS:
        return False
    return (entry.status == 200 and entry.fault != "failed_later") or entry.fault in TAKEN_SILENTLY


def text_of(entry: Entry) -> str:
    """The words of a send, which stand below a file as its caption."""
    request = entry.request
    if entry.platform == "telegram":
        return str(request.get("text") or request.get("caption", ""))
    content = request[request["type"]]
    body = content.get("body") or content.get("caption", "")
    return str(body["text"] if isinstance(body, dict) else body)  # a text with buttons is an object


def assert_closed_hours_told_once(rows: Rows) -> None:
    """I3: after one closed-hours reply, no other before the opening that it named."""
    for thread, messages in rows.messages.items():
        told = sorted(
            (row for row in messages if row.say in CLOSED_TEXTS and row.state is State.SENT),
            key=lambda row: row.arrived,
        )
        for earlier, later in pairwise(told):
            if later.say != "person_asked_closed":
                assert later.arrived >= (earlier.until or 0), f"I3: {thread}: {earlier} then {later}"


def assert_silent_while_a_person_is_there(rows: Rows) -> None:
    """I4: no automatic reply within the quiet time after a person's reply or claim."""
    quiet = current_desk().policy.person_quiet
    for thread, messages in rows.messages.items():
        for row in messages:
            if row.author == "automatic" and row.state is State.SENT:
                there = [
                    act
                    for act in messages
                    if is_present(act) and act.arrived < row.arrived < act.arrived + quiet
                ]
                assert not there, f"I4: {thread}: {row} though {there}"


def is_present(act: Message) -> bool:
    """A person's act that puts them into the conversation (a reply that failed does not)."""
    return act.author == "person" and act.kind != "resolve" and act.state is not State.FAILED


def assert_automatic_replies_answer_customers(rows: Rows) -> None:
    """I2, I4: the cause of every automatic reply is a customer's message that asks, or a deadline."""
    for thread, messages in rows.messages.items():
        asks = {message.key for message in messages if message.direction == "in" and message.owes}
        for row in messages:
            if row.author == "automatic" and row.state is not None:
                cause, _, kind = row.key.rpartition("~")
                timer = cause.count("#") == 2 and cause.split("#")[2].startswith(("on-it", "closing"))
                assert kind, f"I4: {thread}: {row.key}"
                assert cause in asks or timer, f"I4: {thread}: {row.key} has no cause"


def assert_platforms_had_nothing_to_refuse(log: list[Entry]) -> None:
    """I5: every send that was not told to fail was taken: windows and limits were known before."""
    refused = [
        entry
        for entry in log
        if entry.sends and entry.platform in CHANNELS and not entry.fault and entry.status not in (200, 429)
    ]
    assert not refused, f"I5: {refused}"


def assert_nothing_resolved_while_owing(rows: Rows) -> None:
    """I6."""
    both = [thread.id for thread in rows.threads.values() if thread.owes and thread.resolved]
    assert not both, f"I6: {both}"


def assert_every_row_ended(rows: Rows) -> None:
    """I7: every outbox row has ended, and one that did not arrive says why."""
    for thread, row in rows.outbox():
        assert row.state in ENDED, f"I7: {thread}: {row}"
        assert row.state is State.SENT or row.problem, f"I7: {thread}: {row}"
        assert row.due is None, f"I7: {thread}: {row} has ended and is still due"


def assert_people_were_told(stage: Stage, rows: Rows) -> None:
    """I8: each call stands in Slack and in the mailbox where its row says so, in one of them at least."""
    slack = [post.text for posts in stage.desk.client.slack().values() for post in posts]
    mail = [letter.text for letters in stage.desk.client.mail().values() for letter in letters]
    for thread, calls in rows.calls.items():
        for call in calls:
            heard = max(call.folded, *call.told.values(), 0)
            assert heard == len(call.whys), f"I8: nobody has heard all of {thread} {call}"
            if call.incident or any(why.digest for why in call.whys):
                continue  # told with other conversations
            for target in call.told:
                where = slack if target.startswith("slack-") else mail
                assert any(thread in text for text in where), f"I8: {target} was not told of {thread}"


def assert_reasons(rows: Rows) -> None:
    """I9: every row says why."""
    for thread, messages in rows.messages.items():
        for message in messages:
            assert message.why, f"I9: {thread}: {message.key} has no reason"
            assert set(message.why) <= set(Reason), f"I9: {thread}: {message.why}"


def assert_opaque(stage: Stage) -> None:
    """I11: no words, names, numbers or secrets of anybody in any log or queue."""
    state = stage.desk.world.state
    with state.lock:
        people, phones = list(state.people.values()), dict(state.phones)
        accounts = [account for name in state.channels for account in state.accounts_of(name)]
        hooks = state.hooks
        ids = {id for person in people for id in state.ids_of(person) if len(id) >= TELLING}
    secrets = {
        *(
            str(value)
            for account in accounts
            for name, value in account.model_dump().items()
            if SECRET.search(name) and value
        ),
        *(hook.rpartition("/")[2] for hook in hooks),
    }
    words = {
        shown.text
        for by_address in phones.values()
        for found in by_address.values()
        for shown in found
        if len(shown.text) >= TELLING
    }
    hidden = secrets | ids | words | stage.canaries
    for place, text in written(stage):
        leaked = [canary for canary in hidden if canary in text]
        assert not leaked, f"I11: {place} holds {leaked}"


def written(stage: Stage) -> Iterator[tuple[str, str]]:
    """Everything that the functions logged, what lies in the queues, and the engine's own log."""
    for group, lines in stage.function_logs().items():
        yield group, "\n".join(lines)
    sqs = stage.desk.deployed.client("sqs")
    for url in sqs.list_queues().get("QueueUrls", ()):
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in answer.get("Messages", ()):
            yield url, message["Body"]
    yield "engine.log", (stage.desk.home / "engine.log").read_text("utf-8", "replace")


def assert_no_dead_letters(stage: Stage) -> None:
    sqs = stage.desk.deployed.client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        if "DeadLetters" in url:
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            assert "Messages" not in found, (url, found["Messages"])
