"""The mail function: SES hands over what it received, and tells what became of what we sent.

    SES -> the mail into S3, then this function by its receipt (asynchronously)
    SES -> EventBridge -> this function: sent, delivered, bounced, complained

Whatever goes wrong is raised: Lambda tries twice more, and then the call waits in the dead letters;
the mail itself is in the bucket from the start. Coming again it finds what it did before.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from sportello import init_done
from sportello.aws import files, quarantine, queues, secrets, store
from sportello.aws.clock import now
from sportello.aws.environment import environment
from sportello.aws.logging import logger
from sportello.channels.base import Connection, Request, Unparseable
from sportello.channels.email import Email, as_mail
from sportello.channels.email_events import kind_of, opened
from sportello.channels.email_hand_over import Attested, Mailboxes, as_headers, of_receipt
from sportello.channels.email_reading import addressees, senders
from sportello.domain.model import SECOND
from sportello.services import mail
from sportello.services.context import Context
from sportello.services.desk import current_desk
from sportello.services.ingest import ingest

Handler = Callable[[dict[str, Any], Any], None]
INCOMING = "inbound-mail/"
"""Where the receipt rule lets SES write; the id of the mail follows."""
NOT_A_MAIL = "AMAZON_SES_SETUP_NOTIFICATION"
"""What SES writes into the bucket when a rule is made."""
PATIENCE_SECONDS = 20.0
SPARE = 2 * SECOND
"""Kept of the function's time for raising before Lambda ends it."""


class NotUnderstood(Exception):
    """The function was invoked by something that is not SES. The text names its shape."""


class Mailroom:
    def __init__(self) -> None:
        self.channel = Email()

    def take(self, request: Request, deadline: float) -> Counter[str]:
        """One mail, or one event of SES, for every connection that it belongs to."""
        counts: Counter[str] = Counter()
        connections = _connections(int(time.monotonic() // 60))
        try:
            routes = _routes(request, connections)
        except Unparseable as error:
            return self._put_aside(request, connections, str(error))
        if not routes:
            return self._put_aside(request, connections, "unknown_recipient")
        for connection, own in routes:
            counts += self._for(connection, own, deadline)
        return counts

    def _for(self, connection: Connection, request: Request, deadline: float) -> Counter[str]:
        work = Context(
            channel=self.channel,
            connection=connection,
            desk=current_desk(),
            salt=environment().id_salt,
            now=now,
            deadline=deadline,
        )
        try:
            events = self.channel.parse(request, connection)
        except Unparseable as error:
            return self._put_aside(request, {connection.name: connection}, str(error))
        ingest(work, request, mail.prepared(work, self.channel, request, events))
        return work.counts

    def _put_aside(self, request: Request, connections: Mapping[str, Connection], why: str) -> Counter[str]:
        quarantine.quarantine(
            self.channel.name,
            request.body,
            connection=next(iter(connections), "main"),
            why=why,
            headers=request.headers,
        )
        return Counter(quarantined=1)


def mailroom() -> Handler:
    """The handler. Answers nothing: SES does not wait, and what fails is raised."""
    room = Mailroom()
    current_desk()
    store.prime()

    def handler(event: dict[str, Any], context: Any) -> None:
        started = time.monotonic()
        deadline = started + (context.get_remaining_time_in_millis() - SPARE) / SECOND
        counts: Counter[str] = Counter()
        for request in requests(event):
            counts += room.take(request, deadline)
        milliseconds = round((time.monotonic() - started) * 1000)
        logger.info("taken", extra={"channel": room.channel.name, "ms": milliseconds, **counts})

    init_done()
    return handler


def once_more(queue_url: str) -> Counter[str]:
    """What the function failed at three times, taken from its dead letters (``sportello redrive mail``).

    A letter that fails again stays; each wraps the event that the function was invoked with.
    """
    room, counts = Mailroom(), Counter[str]()
    for letter in queues.dead_letters(queue_url):
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            for request in requests(json.loads(letter.body)["requestPayload"]):
                room.take(request, deadline)
        except (ValueError, KeyError, TypeError, NotUnderstood):
            counts["not ours"] += 1
            continue
        except Exception as error:
            counts[f"failed again ({type(error).__name__})"] += 1
            continue
        queues.delete_letter(queue_url, letter)
        counts["taken"] += 1
    return counts


@lru_cache(maxsize=1)
def _connections(minute: int) -> Mapping[str, Connection]:
    """Read once a minute: ``minute`` is what makes the cache forget."""
    return secrets.read_connections("email")


# --- what invoked us --------------------------------------------------------------------------------


def requests(event: Mapping[str, Any]) -> Iterator[Request]:
    """What the channel reads, out of each form in which SES, S3, SNS and EventBridge bring it.

    Raises NotUnderstood.
    """
    if isinstance(event.get("detail"), dict):
        yield _request_of(event["detail"])
        return
    records = event.get("Records")
    if not isinstance(records, list):
        raise NotUnderstood(f"keys: {sorted(event)[:5]}")
    for record in records:
        match record:
            case {"eventSource": "aws:ses", "ses": dict(told)}:
                yield _mail(of_receipt(told, f"{INCOMING}{told['mail']['messageId']}"))
            case {"eventSource": "aws:s3", "s3": {"object": {"key": str(key)}}}:
                yield from _object(unquote_plus(key))
            case {"EventSource": "aws:sns", "Sns": {"Message": str(message)}}:
                yield _request_of(json.loads(message))
            case _:
                raise NotUnderstood("a record of another service")


def _request_of(body: Mapping[str, Any]) -> Request:
    """An event of SES; a received mail is in it, or in the object that another action wrote."""
    event = opened(body)
    if kind_of(event) == "Received":
        content = event.get("content")
        if isinstance(content, str):
            return as_mail(event, content)
        return _mail(of_receipt(event, f"{INCOMING}{event['mail']['messageId']}"))
    headers = {"content-type": "application/json"}
    return Request(method="POST", headers=headers, body=json.dumps(event).encode())


def _object(key: str) -> Iterator[Request]:
    """Without SES's receipt: what it wrote on top of the message has to do."""
    if key.startswith(INCOMING) and not key.endswith(NOT_A_MAIL):
        headers = {"content-type": "message/rfc822", "x-ses-object": key}
        yield Request(method="POST", headers=headers, body=files.read(key))


def _mail(told: Attested) -> Request:
    return Request(method="POST", headers=as_headers(told), body=files.read(told.object))


# --- whose it is ------------------------------------------------------------------------------------


def _routes(request: Request, connections: Mapping[str, Connection]) -> list[tuple[Connection, Request]]:
    """The connections that a mail is for, each with its recipients; of an event, whose mail it tells of."""
    is_mail = request.headers["content-type"] == "message/rfc822"
    addresses = addressees(request) if is_mail else senders(request)
    found = []
    for connection in connections.values():
        ours = Mailboxes(connection)
        if own := [address for address in addresses if ours.account(address)]:
            found.append((connection, _with_recipients(request, own) if is_mail else request))
    return found


def _with_recipients(request: Request, recipients: Sequence[str]) -> Request:
    if "x-ses-id" not in request.headers:
        return request
    headers = {**request.headers, "x-ses-recipients": ", ".join(recipients)}
    return Request(method="POST", headers=headers, body=request.body)
