"""The handlers that work behind the webhooks: sender, notifier, consult, media, renewer, sweeper."""

import time
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from sportello import init_done
from sportello.aws import queues, secrets
from sportello.aws.carrier import Carrier
from sportello.aws.clock import now
from sportello.aws.console_key import ConsoleKey
from sportello.aws.environment import console_url, environment
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.channels.base import Connection, Problem
from sportello.channels.found import channel as channel
from sportello.channels.http import Http
from sportello.domain.model import SECOND
from sportello.services.desk import current_desk, current_faq, current_texts
from sportello.services.notify import Notifier, notify
from sportello.services.renew import renew
from sportello.services.send import Sender, send
from sportello.services.sweep import sweep
from sportello.services.wording import Wording

Handler = Callable[[dict[str, Any], Any], dict[str, Any] | None]
METRICS = "Sportello"
SWEEP_SPARE = 10.0
"""Seconds of the sweeper's time that are left for its last row."""

_connections: dict[str, secrets.Connections] = {}


def connection(channel_name: str, name: str) -> Connection:
    """A connection of any channel, cached as the webhooks do."""
    return _connections.setdefault(channel_name, secrets.Connections(channel_name)).get(name)


@lru_cache(maxsize=1)
def _hooks(minute: int) -> dict[str, str]:
    """Slack addresses, read once a minute: ``minute`` is what makes the cache forget."""
    return secrets.read_secrets("slack")


@lru_cache(maxsize=1)
def _of_company(minute: int) -> dict[str, str]:
    """The secret of the company's own system, read once a minute."""
    return secrets.read_secrets("hook")


def _count(metrics: Metrics, name: str, value: int) -> None:
    """A metric that alarms; nothing is logged where nothing happened."""
    if value:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        metrics.flush_metrics()


def sender() -> Handler:
    """FIFO, one row at a time: a row is tried alone and in its thread's order."""
    http = Carrier(environment().platforms)
    metrics = Metrics(namespace=METRICS)
    channel_of = cache(channel)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        desk = current_desk()
        work = Sender(
            channels=channel_of,
            connection=connection,
            http=http,
            desk=desk,
            wording=Wording(desk, current_texts()),
            now=now,
        )
        for record in event["Records"]:
            thread, key = queues.read_kick(record["body"])
            outcome = send(work, Address(thread, key))
            logger.info("row", extra={"thread_id": thread, "key": key, "outcome": outcome})
        _count(metrics, "Reconnect", work.problems.count(Problem.RECONNECT))
        return None

    init_done()
    return handler


def notifier() -> Handler:
    """Standard queue: a call that fails unexpectedly is handed back alone."""
    http = Http(environment().platforms)
    console, console_key = console_url(), ConsoleKey()
    processor = BatchProcessor(event_type=EventType.SQS)
    metrics = Metrics(namespace=METRICS)

    def take(record: SQSRecord) -> None:
        desk = current_desk()
        work = Notifier(
            desk=desk,
            wording=Wording(desk, current_texts()),
            hooks=lambda: _hooks(int(time.monotonic() // 60)),
            http=http,
            now=now,
            console=console,
            console_key=console_key.signing,
        )
        thread, key = queues.read_kick(record.body)
        outcome = notify(work, Address(thread, key))
        logger.info("call", extra={"thread_id": thread, "key": key, "outcome": outcome})
        _count(metrics, "NobodyTold", outcome == "nobody_told")

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        answer: Any = process_partial_response(
            event=event, record_handler=take, processor=processor, context=context
        )
        return dict(answer)

    init_done()
    return handler


def consult() -> Handler:
    """Standard queue: what a decision needs from the outside."""
    from sportello.services.bedrock import answerer_for
    from sportello.services.company import Company
    from sportello.services.consult import consult as ask  # it alone compares words
    from sportello.services.outside import Outside

    answerer = cache(lambda: answerer_for(current_faq(), current_desk().time_zone))
    answerer()

    def hook() -> dict[str, str]:
        return _of_company(int(time.monotonic() // 60))

    processor = BatchProcessor(event_type=EventType.SQS)
    metrics = Metrics(namespace=METRICS)

    def one(record: SQSRecord) -> None:
        desk = current_desk()
        work = Outside(
            desk=desk,
            now=now,
            answerer=answerer,
            company=Company(desk.hook, hook, environment().platforms),
            shows_buttons=lambda name: channel(name).shows_buttons,
        )
        thread, key = queues.read_kick(record.body)
        outcome = ask(work, Address(thread, key))
        logger.info("consulted", extra={"thread_id": thread, "key": key, "outcome": outcome})
        _count(metrics, "HookOpened", len(work.opened))

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        answer: Any = process_partial_response(
            event=event, record_handler=one, processor=processor, context=context
        )
        return dict(answer)

    init_done()
    return handler


def media() -> Handler:
    """Standard queue: files and names. Whatever fails unexpectedly is handed back alone."""
    from sportello.services.media import Fetcher, take  # it alone needs what tells types by content

    fetcher = Fetcher(
        channels=cache(channel),
        connection=connection,
        http=Carrier(environment().platforms),
        languages=current_desk().languages,
        rewrite=environment().platforms,
    )
    processor = BatchProcessor(event_type=EventType.SQS)

    def one(record: SQSRecord) -> None:
        thread, key = queues.read_kick(record.body)
        outcome = take(fetcher, Address(thread, key))
        logger.info("media", extra={"thread_id": thread, "key": key, "outcome": outcome})

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        answer: Any = process_partial_response(
            event=event, record_handler=one, processor=processor, context=context
        )
        return dict(answer)

    init_done()
    return handler


def renewer() -> Handler:
    """Once a day."""
    http = Http(environment().platforms)
    metrics = Metrics(namespace=METRICS)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        counts = renew(channel, http)
        logger.info("tokens", extra={**counts})
        _count(metrics, "Reconnect", counts["failed"])
        return dict(counts)

    init_done()
    return handler


def sweeper() -> Handler:
    """Every minute."""
    metrics = Metrics(namespace=METRICS)

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
        until = time.monotonic() + context.get_remaining_time_in_millis() / SECOND - SWEEP_SPARE
        swept = sweep(current_desk(), now, until)
        logger.info("swept", extra={**swept.counts})
        age = swept.oldest // SECOND
        metrics.add_metric(name="OldestDueSeconds", unit=MetricUnit.Seconds, value=age)
        metrics.flush_metrics()
        if failed := swept.counts["failed"]:
            raise RuntimeError(f"{failed} of what is due failed; the log says which")
        return {"swept": dict(swept.counts), "oldest_seconds": age}

    init_done()
    return handler
