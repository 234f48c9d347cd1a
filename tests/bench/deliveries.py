"""Deliveries per second through the engine: function URL, Lambda worker, table, all on this machine.

It measures the laptop's engine, not AWS; it tells whether the desk keeps up with a demo, and whether
sixteen platforms' connections at once get in each other's way.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import urllib3
from pydantic import BaseModel, ConfigDict

from infra.local_desk import CONNECTION, LocalDesk
from infra.world.telegram_bot import LOCAL_BOT as TELEGRAM
from tests.bench.figures import Spread
from tests.bench.samples import telegram_text

CLIENTS = (1, 16)
DELIVERIES = 400
WARM_UP = 64
CHATS = 40


class Rate(BaseModel):
    model_config = ConfigDict(frozen=True)

    clients: int
    per_second: float
    ms: Spread
    p99_ms: float


def deliveries(desk: LocalDesk, most: int = DELIVERIES) -> list[Rate]:
    """New messages of forty customers, each answered 200, once the engine has started its workers."""
    http = urllib3.PoolManager(maxsize=max(CLIENTS), retries=False, timeout=30)
    url = f"{desk.deployed.outputs['TelegramUrl'].rstrip('/')}/{CONNECTION}"
    numbers = count(1)

    def deliver(_: int) -> float:
        number = next(numbers)
        now = time.time_ns() // 1_000_000
        chat = 2_000_000_000 + number % CHATS
        event = telegram_text(now, chat=chat, number=number, secret=TELEGRAM.secret)
        headers = {name: value for name, value in event["headers"].items() if name != "host"}
        started = time.perf_counter()
        answer = http.request("POST", url, body=event["body"], headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"a delivery was answered {answer.status}")
        return time.perf_counter() - started

    rates = []
    for clients in CLIENTS:
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(deliver, range(WARM_UP)))
            started = time.perf_counter()
            taken = sorted(pool.map(deliver, range(most)))
            seconds = time.perf_counter() - started
        rates.append(
            Rate(
                clients=clients,
                per_second=round(most / seconds, 1),
                ms=Spread.of([value * 1000 for value in taken]),
                p99_ms=round(taken[int(len(taken) * 0.99)] * 1000, 2),
            )
        )
    return rates
