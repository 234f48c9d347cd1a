"""Kicks: best-effort hints that a row wants work. They hold ids only; the row is the truth."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from sportello.aws import clients
from sportello.aws.environment import environment
from sportello.domain.keys import KEY_LIMIT, THREAD_ID_LENGTH

_ID = re.compile(r"[A-Za-z0-9#~@-]+")
DEDUPLICATION_LIMIT = 128
BODY_VERSION = 1


class BadId(ValueError):
    """An id that SQS would refuse, or that is not opaque. The engine does not check this."""


def kick_outbox(thread: str, key: str, attempt: int = 0) -> None:
    """Ask the sender to look at an outbox row; per thread in order, per attempt at most once in 5 minutes."""
    clients.sqs().send_message(
        QueueUrl=environment().outbox_queue_url,
        MessageBody=_body(thread, key),
        MessageGroupId=thread,
        MessageDeduplicationId=_deduplication(thread, key, attempt),
    )


def kick_escalation(thread: str, key: str) -> None:
    """Ask the notifier to look at a call."""
    clients.sqs().send_message(QueueUrl=environment().escalation_queue_url, MessageBody=_body(thread, key))


def kick_media(thread: str, key: str) -> None:
    """Ask the media worker to look at a message's files, or at the thread row for its customer's name."""
    clients.sqs().send_message(QueueUrl=environment().media_queue_url, MessageBody=_body(thread, key))


def kick_consult(thread: str, key: str) -> None:
    """Ask the consult worker to look at an enquiry."""
    clients.sqs().send_message(QueueUrl=environment().consult_queue_url, MessageBody=_body(thread, key))


def read_kick(body: str) -> tuple[str, str]:
    """Thread id and row key of a kick; ``BadId`` where it is none of ours."""
    try:
        kick = json.loads(body)
        thread, key = kick["thread"], kick["key"]
    except (ValueError, KeyError, TypeError):
        raise BadId("not a kick: no thread and key") from None
    _checked(thread, key)
    return thread, key


class Letter(NamedTuple):
    """A dead letter: a kick at which its worker failed five times."""

    body: str
    receipt: str


def dead_letters(queue_url: str) -> Iterator[Letter]:
    """All that the queue hands out now; what is not deleted comes back after half a minute."""
    while True:
        answer = clients.sqs().receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, VisibilityTimeout=30, WaitTimeSeconds=1
        )
        messages = answer.get("Messages", ())
        if not messages:
            return
        for message in messages:
            yield Letter(message["Body"], message["ReceiptHandle"])


def delete_letter(queue_url: str, letter: Letter) -> None:
    clients.sqs().delete_message(QueueUrl=queue_url, ReceiptHandle=letter.receipt)


def _body(thread: str, key: str) -> str:
    _checked(thread, key)
    return json.dumps({"v": BODY_VERSION, "thread": thread, "key": key})


def _deduplication(thread: str, key: str, attempt: int) -> str:
    name = f"{thread}{key}@{attempt}"
    if len(name) > DEDUPLICATION_LIMIT:
        raise BadId(f"deduplication id of {len(name)} characters; SQS takes {DEDUPLICATION_LIMIT}")
    return name


def _checked(thread: object, key: object) -> None:
    if not isinstance(thread, str) or len(thread) != THREAD_ID_LENGTH or not _ID.fullmatch(thread):
        raise BadId("not a thread id")
    if not isinstance(key, str) or len(key) > KEY_LIMIT or not _ID.fullmatch(key):
        raise BadId("not a row key")
