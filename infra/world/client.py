"""Talking to the local world: what tests and the command line use."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import urllib3

from infra.world.faults import Fault
from infra.world.model import ChannelName, Entry, Letter, Said, Say, Setup, Shown, SlackPost
from sportello.domain.model import Instant

SECONDS = 120.0
"""A ``say`` waits for our webhook's answer, and with copies for each of them."""


class WorldError(Exception):
    """The world refused an order; the text says why."""


class WorldClient:
    """Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=SECONDS)

    def close(self) -> None:
        self._pool.clear()

    def health(self) -> Mapping[str, Any]:
        """``ok``, ``pending`` (deliveries in the background), ``now`` (platform time)."""
        answer = self._call("GET", "health")
        assert isinstance(answer, dict)  # noqa: S101 the world's own shape
        return answer

    def channels(self) -> dict[str, list[str]]:
        """The channels that customers can write on, each with the ids of our accounts."""
        found: dict[str, list[str]] = self._call("GET", "channels")
        return found

    def setup(self, setup: Setup) -> None:
        self._call("POST", "setup", setup.model_dump(exclude_unset=True))

    def say(self, channel: ChannelName, text: str = "", sender: str = "Customer One", **more: Any) -> Said:
        """The customer does something; ``more`` are the other fields of ``Say``."""
        say = Say.model_validate({"channel": channel, "text": text, "from": sender} | more)
        return Said.model_validate(self._call("POST", "say", say.model_dump(by_alias=True)))

    def redeliver(self, webhook_id: str, copies: int = 1) -> Said:
        return Said.model_validate(self._call("POST", "redeliver", {"id": webhook_id, "copies": copies}))

    def phone(self, channel: ChannelName, who: str = "Customer One") -> list[Shown]:
        """Everything on the phone of that name or id, oldest first."""
        return [
            Shown.model_validate(item) for item in self._call("GET", f"phone/{channel}/{quote(who, safe='')}")
        ]

    def slack(self) -> dict[str, list[SlackPost]]:
        posts = self._call("GET", "slack").items()
        return {path: [SlackPost.model_validate(post) for post in found] for path, found in posts}

    def mail(self) -> dict[str, list[Letter]]:
        boxes = self._call("GET", "mail").items()
        return {box: [Letter.model_validate(letter) for letter in found] for box, found in boxes}

    def log(self, since: int = 0) -> list[Entry]:
        """Calls and webhooks with a number greater than ``since``."""
        return [Entry.model_validate(entry) for entry in self._call("GET", f"log?since={since}")]

    def file(self, url: str, **fields: Any) -> None:
        """What customers' files are fetched from there: ``mime``, ``size``, ``status``, ``redirect``."""
        self._call("POST", "file", {"url": url} | fields)

    def fault(self, platform: str, kind: str, **more: Any) -> None:
        """Order a failure; ``more`` are the other fields of ``Fault``."""
        fault = Fault.model_validate({"platform": platform, "kind": kind} | more)
        self._call("POST", "fault", fault.model_dump())

    def clear(self, platform: str = "") -> None:
        """Take back the orders to fail, of one platform or all."""
        self._call("POST", "clear", {"platform": platform})

    def reset(self) -> None:
        """Forget phones, mailboxes and log; keep accounts and hooks."""
        self._call("POST", "reset")

    def clock(self, offset_ms: int) -> Instant:
        """Set platform time to real time plus an offset; returns it."""
        return int(self._call("POST", "clock", {"offset_ms": offset_ms})["now"])

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until no delivery is waiting in the background; ``WorldError`` if that never comes."""
        end = time.monotonic() + seconds
        while self.health()["pending"]:
            if time.monotonic() > end:
                raise WorldError("deliveries are still waiting")
            time.sleep(0.02)

    def _call(self, method: str, what: str, body: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        answer = self._pool.request(method, f"{self.url}/_world/{what}", body=data)
        value = json.loads(answer.data)
        if answer.status != 200:
            raise WorldError(value["error"])
        return value
