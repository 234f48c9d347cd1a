"""The public page on the running desk: its own function, at its own address."""

import json
from typing import Any

import pytest
import urllib3

from tests.e2e.stage import Stage

EVENING, MORNING = "2026-12-09 20:15", "2026-12-10 10:00"
_pool = urllib3.PoolManager(retries=False, timeout=30.0)


def get(stage: Stage, path: str = "", method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    address = stage.desk.deployed.outputs["DirectoryUrl"].rstrip("/") + "/"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return _pool.request(method, address + path, headers=named)


def facts(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(get(stage, "hours.json?lang=it").data)
    return found


def test_the_page_and_the_reply_say_the_same(stage: Stage) -> None:
    stage.at(EVENING)
    customer = stage.customer("whatsapp")
    customer.say("Buonasera, siete aperti?")
    (heard,) = customer.hears(1)
    found = facts(stage)
    page = get(stage, accept_language="it-IT, en;q=0.5").data.decode()
    assert not found["open"]
    assert found["state"] == "chiuso, apre domani alle 9:00"
    assert "Apriamo domani alle 9:00" in page
    assert "domani alle 9:00" in heard
    assert found["hours"] in page
    assert found["hours"] in heard


def test_it_follows_the_hours(stage: Stage) -> None:
    stage.at(MORNING)
    answer = get(stage, accept_language="en")
    assert answer.status == 200
    assert "We are open now" in answer.data.decode()
    assert answer.headers["content-language"] == "en"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert get(stage, accept_language="en", if_none_match=answer.headers["etag"]).status == 304
    assert facts(stage)["open"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("", "HEAD", 200),
        ("hours.json", "HEAD", 200),
        ("other", "GET", 404),
        ("", "POST", 405),
        ("hours.json", "PUT", 405),
    ],
)
def test_what_it_answers(stage: Stage, path: str, method: str, status: int) -> None:
    assert get(stage, path, method).status == status


def test_a_view_writes_nothing(stage: Stage) -> None:
    """Neither into the table nor, line by line, into the log."""
    stage.at(EVENING)
    get(stage)
    before, lines = stage.items(), own_lines(stage)
    for _ in range(3):
        assert get(stage).status == 200
    assert stage.items() == before
    assert own_lines(stage) == lines


def own_lines(stage: Stage) -> list[str]:
    """What the page's function logged, without what the runtime says of each call."""
    logs = stage.function_logs()
    (group,) = [name for name in logs if name.endswith("/directory")]
    return [line for line in logs[group] if not line.startswith(("START ", "END ", "REPORT ", "INIT_START "))]
