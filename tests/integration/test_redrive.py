"""What got stuck is tried again after its cause is mended; a second time does no harm."""

from collections.abc import Sequence

from sportello.aws import clients, quarantine
from sportello.aws.environment import environment
from sportello.aws.secrets import UnknownConnection
from sportello.channels.base import Connection, NotSent, Problem, Request, Unparseable
from sportello.domain.events import PlatformEvent, Unreadable
from sportello.domain.model import HOUR, MINUTE
from sportello.services import redrive
from sportello.services.receipts import fail
from sportello.services.reply import reply
from sportello.services.send import send
from tests.integration.stage import (
    ACCOUNT,
    CONNECTION,
    OPEN,
    Scripted,
    Stage,
    address_of,
    change_row,
    heard,
    inbound,
    kicks,
    objects,
    only_row,
    only_thread,
    overdue,
    real_now,
    thread_id,
)


class Reading(Scripted):
    """Today's parser: it understands what yesterday's did not."""

    def __init__(self, *events: PlatformEvent) -> None:
        super().__init__()
        self.events = events

    def parse(self, request: Request, connection: Connection) -> Sequence[PlatformEvent]:
        if request.body != b"{signed}":
            raise Unparseable("no event")
        return self.events


def work(stage: Stage, channel: Scripted | None = None) -> redrive.Redrive:
    def connection(_: str, name: str) -> Connection:
        if name != CONNECTION.name:
            raise UnknownConnection(name)
        return CONNECTION

    return redrive.Redrive(
        desk=stage.desk,
        salt=environment().id_salt,
        channels=lambda _: channel or stage.channel,
        connection=connection,
        now=lambda: stage.now,
    )


def put_aside(body: bytes, connection: str = CONNECTION.name) -> None:
    headers = {"content-type": "application/json"}
    quarantine.quarantine("scripted", body, connection=connection, why="test", headers=headers)


# --- quarantine -----------------------------------------------------------------------------------


def test_what_can_be_read_now_is_stored_and_leaves_quarantine(stage: Stage) -> None:
    put_aside(b"{signed}")
    assert redrive.bodies(work(stage, Reading(inbound("At last")))) == {"read": 1}
    assert [row["text"] for row in heard()] == ["At last"]
    assert only_thread()["owed_since"] == OPEN
    assert objects("quarantine/") == []


def test_what_still_cannot_be_read_stays(stage: Stage) -> None:
    put_aside(b"{signed}")
    put_aside(b"nonsense")
    reading = Reading(inbound(), Unreadable(account=ACCOUNT, fragment={}, why="entry 2"))
    assert redrive.bodies(work(stage, reading)) == {"still unreadable": 2}
    assert len(objects("quarantine/")) == 2
    assert len(heard()) == 1


def test_replaying_what_was_half_read_stores_nothing_twice(stage: Stage) -> None:
    stage.take(inbound())
    put_aside(b"{signed}")
    assert redrive.bodies(work(stage, Reading(inbound(), inbound(id="m2", at=OPEN + 1)))) == {"read": 1}
    assert [row["id"] for row in heard()] == ["m1", "m2"]


def test_a_connection_that_is_gone_keeps_its_bodies(stage: Stage) -> None:
    put_aside(b"{signed}", connection="another")
    assert redrive.bodies(work(stage, Reading(inbound()))) == {"no such connection": 1}
    assert len(objects("quarantine/")) == 1


def test_one_unreadable_entry_is_kept_with_its_whole_body(stage: Stage) -> None:
    stage.take(inbound(), Unreadable(account=ACCOUNT, fragment={"part": 2}, why="entry 2"))
    (key,) = objects("quarantine/")
    assert quarantine.read_kept(key).body == b"{}"
    assert quarantine.read_kept(key).connection == CONNECTION.name


# --- dead letters -----------------------------------------------------------------------------------


def dead(body: str) -> str:
    """A queue that plays the dead letters'."""
    url: str = clients.sqs().create_queue(QueueName="dead")["QueueUrl"]
    clients.sqs().send_message(QueueUrl=url, MessageBody=body)
    return url


def left(url: str) -> int:
    found = clients.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def letter(row: dict[str, str]) -> str:
    return f'{{"v": 1, "thread": "{row["PK"][2:]}", "key": "{row["SK"]}"}}'


def test_a_dead_letter_of_a_pending_row_is_kicked_again(stage: Stage) -> None:
    stage.take(inbound())
    reply(stage.person(), thread_id(), "Here I am")
    kicks("outbox")
    overdue(only_row())
    url = dead(letter(only_row()))
    assert redrive.letters(url) == {"kicked": 1}
    assert kicks("outbox") == [(thread_id(), only_row()["SK"])]
    assert left(url) == 0


def test_a_dead_letter_of_what_has_ended_is_only_cleared(stage: Stage) -> None:
    stage.take(inbound())
    reply(stage.person(), thread_id(), "Here I am")
    stage.send(only_row())
    kicks("outbox")
    url = dead(letter(only_row()))
    assert redrive.letters(url) == {"done already": 1}
    assert kicks("outbox") == []
    assert left(url) == 0


def test_a_dead_letter_of_a_call_tells_people_after_all(stage: Stage) -> None:
    stage.take(inbound("I want to speak to a person"))
    ((_, key),) = kicks("escalation")
    url = dead(letter({"PK": f"T#{thread_id()}", "SK": key}))
    assert redrive.letters(url) == {"kicked_call": 1}
    assert kicks("escalation") == [(thread_id(), key)]


def test_a_letter_that_is_none_of_ours_stays(stage: Stage) -> None:
    url = dead("hello")
    assert redrive.letters(url) == {"not ours": 1}
    assert left(url) == 1


# --- failed replies ---------------------------------------------------------------------------------


def fail_reply(stage: Stage, problem: Problem, *, heard_before: int = MINUTE) -> None:
    """A person answered some time after the message, and the platform's receipt says that it failed."""
    stage.take(inbound())
    stage.now = OPEN + heard_before
    reply(stage.person(), thread_id(), "Here I am")
    stage.send(only_row())
    fail(stage.desk, lambda: stage.now, address_of(only_row()), problem, "131000", real_now() + 10)
    kicks("outbox")
    kicks("escalation")
    assert only_row()["state"] == "failed"
    assert only_thread()["owed_since"] == OPEN


def test_a_reply_that_failed_for_what_passes_is_sent_again_and_settles(stage: Stage) -> None:
    fail_reply(stage, Problem.RECONNECT)
    assert redrive.replies(work(stage)) == {"sent again": 1}
    assert "owed_since" not in only_thread()
    assert kicks("outbox") == [(thread_id(), only_row()["SK"])]
    assert stage.send(only_row()) == "sent"
    assert [message.text for message in stage.channel.asked] == ["Here I am", "Here I am"]
    assert redrive.replies(work(stage)) == {}


def test_if_it_fails_again_the_debt_is_as_old_as_it_was(stage: Stage) -> None:
    fail_reply(stage, Problem.TEMPORARY)
    redrive.replies(work(stage))
    stage.channel.script = [NotSent(problem=Problem.REFUSED, code="100")]
    assert stage.send(only_row()) == "failed_refused"
    assert only_thread()["owed_since"] == OPEN
    assert len(kicks("escalation")) == 1
    assert redrive.replies(work(stage)) == {}


def test_what_the_platform_will_never_take_is_left_alone(stage: Stage) -> None:
    fail_reply(stage, Problem.REFUSED)
    assert redrive.replies(work(stage)) == {}
    assert only_row()["state"] == "failed"


def test_what_came_after_the_failed_reply_stays_owed(stage: Stage) -> None:
    fail_reply(stage, Problem.BUSY)
    stage.now = OPEN + 2 * MINUTE
    stage.take(inbound("And another thing", id="m2", at=stage.now))
    assert redrive.replies(work(stage)) == {"sent again": 1}
    assert only_thread()["owed_since"] == OPEN + 2 * MINUTE


def test_a_reply_after_which_a_person_wrote_is_not_sent_again(stage: Stage) -> None:
    fail_reply(stage, Problem.RECONNECT)
    stage.now = OPEN + HOUR
    stage.take(inbound("Hello?", id="m2", at=stage.now))
    reply(stage.person(), thread_id(), "Sorry, here we are", seen=heard()[0]["SK"])
    assert only_thread()["owed_since"] == OPEN + HOUR
    assert redrive.replies(work(stage)) == {}


def test_an_expired_reply_gets_new_time(stage: Stage) -> None:
    """``not_after`` has passed: that is why it failed. The sender must not refuse it at once."""
    stage.take(inbound())
    stage.now = OPEN + MINUTE
    reply(stage.person(), thread_id(), "Here I am")
    change_row(only_row(), not_after=real_now() - 1, problem="reconnect")
    assert send(stage.sender(), address_of(only_row())) == "failed_reconnect"
    assert redrive.replies(work(stage)) == {"sent again": 1}
    assert stage.send(only_row()) == "sent"
