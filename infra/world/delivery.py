"""Sending webhooks as the platforms do: signed, in order where they keep it, again when refused."""

import heapq
import itertools
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import urllib3

from infra.world.model import Webhook
from infra.world.state import State

CONNECT_SECONDS = 2.0
READ_SECONDS = 30.0
WORKERS = 6
Action = Callable[[], None]


class Platform(Protocol):
    """What the postman has to know of whose webhooks it carries: the stand-in says it."""

    def accepts(self, status: int, body: str) -> bool: ...

    def deliver(self, webhook: Webhook) -> int | None: ...


class Postman:
    """Delivers webhooks, now or later. What is refused is tried again as ``Options.retries`` says.

    Webhooks of one queue (a Telegram chat) go one after the other: while one is being retried, the
    later ones wait behind it, as at the platform.
    """

    def __init__(self, state: State) -> None:
        self.platforms: Mapping[str, Platform] = {}
        self._state = state
        self._pool = urllib3.PoolManager(
            num_pools=8,
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._busy = 0
        self._stopped = False
        self._queues: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._behind: dict[str, deque[Webhook]] = {}
        self._workers = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]

    def start(self) -> None:
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._due.clear()
            self._wake.notify_all()
        for worker in self._workers:
            worker.join(timeout=1)
        self._pool.clear()

    def pending(self) -> int:
        """How many deliveries are waiting or under way in the background."""
        with self._wake:
            return len(self._due) + self._busy

    def deliver(self, webhook: Webhook) -> int:
        """The first try; the status of our answer, 0 where there was none or an earlier one blocks it."""
        if not webhook.queue:
            return self._first_try(webhook)
        with self._queue(webhook.queue):
            if webhook.queue in self._behind:
                self._behind[webhook.queue].append(webhook)
                return 0
            return self._first_try(webhook)

    def post(self, webhook: Webhook, seconds: float) -> None:
        """Deliver after that many seconds, in the background."""
        with self._state.lock:
            self._state.webhooks[webhook.id] = webhook
        self._later(seconds, partial(self._deliver_quietly, webhook))

    def _deliver_quietly(self, webhook: Webhook) -> None:
        self.deliver(webhook)

    def _first_try(self, webhook: Webhook) -> int:
        status, accepted = self._try(webhook, 1)
        if not accepted:
            self._try_again(webhook, 2)
        return status

    def _try_again(self, webhook: Webhook, attempt: int) -> None:
        delays = self._state.options.retries
        if attempt - 2 < len(delays):
            if webhook.queue:
                self._behind.setdefault(webhook.queue, deque())
            self._later(delays[attempt - 2], partial(self._retry, webhook, attempt))
        elif webhook.queue:
            self._release(webhook.queue)

    def _retry(self, webhook: Webhook, attempt: int) -> None:
        _, accepted = self._try(webhook, attempt)
        if webhook.queue:
            with self._queue(webhook.queue):
                self._after_retry(webhook, attempt, accepted)
        else:
            self._after_retry(webhook, attempt, accepted)

    def _after_retry(self, webhook: Webhook, attempt: int, accepted: bool) -> None:
        if not accepted:
            self._try_again(webhook, attempt + 1)
        elif webhook.queue:
            self._release(webhook.queue)

    def _release(self, queue: str) -> None:
        """The blocking webhook is done or given up: what waited behind it follows. Holds the queue."""
        waiting = self._behind.pop(queue, deque())
        while waiting:
            self._first_try(waiting.popleft())
            if queue in self._behind:
                self._behind[queue].extend(waiting)
                return

    def _try(self, webhook: Webhook, attempt: int) -> tuple[int, bool]:
        """The status of our answer, 0 where there was none; and whether the platform is content with it."""
        status, answer = self._send(webhook)
        self._state.record(
            platform=webhook.channel,
            direction="webhook",
            method=webhook.method,
            address=webhook.address,
            status=status,
            id=webhook.id,
            attempt=attempt,
            request=webhook.body,
            answer=answer,
        )
        return status, self.platforms[webhook.channel].accepts(status, answer)

    def _send(self, webhook: Webhook) -> tuple[int, str]:
        try:
            own = self.platforms[webhook.channel].deliver(webhook)
            if own is not None:
                return own, ""
            answer = self._pool.request(
                webhook.method,
                webhook.url,
                body=webhook.content,
                headers=webhook.headers,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return 0, type(error).__name__
        return answer.status, answer.data.decode("utf-8", "replace")[:1000]

    def _queue(self, name: str) -> threading.Lock:
        with self._wake:
            return self._queues[name]

    # --- the background ------------------------------------------------------------------------

    def _later(self, seconds: float, action: Action) -> None:
        with self._wake:
            if not self._stopped:
                heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))
                self._wake.notify()

    def _work(self) -> None:
        while True:
            action = self._next_action()
            if action is None:
                return
            try:
                action()
            finally:
                with self._wake:
                    self._busy -= 1

    def _next_action(self) -> Action | None:
        with self._wake:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._due)[2]
                self._wake.wait(wait)
            return None
