"""docs/hook.md: its receiver works as it stands there, and its limits are those of the code."""

import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.cli.hook import REMEDIES
from sportello.aws import breaker
from sportello.domain.desk import Hook
from sportello.domain.facts import CustomerFacts
from sportello.services import company
from sportello.services.company import Company, Question, ask, probe
from tests.unit.test_company import ONE, SECRET, TWO, URL

TEXT = Path(__file__).resolve().parents[2].joinpath("docs", "hook.md").read_text("utf-8")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The document's receiver, with a company of two customers; yields the address that leads to it."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(code, names)
    names["customer_of"] = {ONE: {"tier": "gold"}}.get
    orders = {"12345678": ONE, "87654321": TWO}
    names["orders_of"] = lambda number: [
        {"number": number, "status": "On its way", "contacts": [names["hashed"](orders[number])]}
    ]
    monkeypatch.setattr(names["Receiver"], "log_message", lambda *_: None)
    monkeypatch.setattr(breaker, "turn", lambda _: breaker.State())
    server = ThreadingHTTPServer(("127.0.0.1", 0), names["Receiver"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def at(receiver: str) -> Company:
    return Company(Hook(url=URL), lambda: {"main": f'{{"secret": "{SECRET}"}}'}, receiver)


def test_the_receiver_answers_who_is_signed_and_nobody_else(receiver: str) -> None:
    assert probe(at(receiver)) == ""


@pytest.mark.parametrize(("number", "told"), [("12345678", 1), ("87654321", 0)])
def test_the_receivers_hashes_prove_whose_order_it_is(receiver: str, number: str, told: int) -> None:
    found = ask(at(receiver), Question("m", ("customer", "order"), "t" * 26, "whatsapp", ONE, (number,)))

    assert found.customer == CustomerFacts(tier="gold")
    assert len(found.orders) == told


def test_the_receiver_takes_thirty_lines_or_so() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

    assert len([line for line in code.splitlines() if line.strip()]) < 36


@pytest.mark.parametrize("code", sorted(REMEDIES.keys() - {"hook_unsigned"}))
def test_every_code_is_explained(code: str) -> None:
    assert f"`{code}`" in TEXT


def test_the_limits_are_those_of_the_code() -> None:
    assert (company.LIMIT, company.SECONDS, breaker.FAILURES) == (64 * 1024, 2.0, 5)
    assert ("64 KB" in TEXT, "two seconds" in TEXT, "five times" in TEXT) == (True, True, True)
