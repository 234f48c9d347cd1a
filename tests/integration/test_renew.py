"""Tokens that run out are replaced by fresh ones once a day; all others stay as they are."""

import json
from typing import Any, ClassVar

import pytest

from sportello.aws import clients, secrets
from sportello.channels.base import Channel, ConnectError, Connection
from sportello.channels.http import Http, NoAnswer
from sportello.services.renew import renew
from tests.integration.stage import Scripted, Stage


class RunsOut(Scripted):
    name: ClassVar[str] = "scripted"
    fresh: ClassVar[dict[str, Any]] = {}

    def renew(self, connection: Connection, http: Http) -> str:
        answer = self.fresh[connection.name]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


def channels(name: str) -> Channel:
    if name != "scripted":
        raise ModuleNotFoundError(name)
    return RunsOut()


def store(name: str, **more: Any) -> None:
    secret = {"secrets": ["s"], "token": "old", "settings": {"kept": "yes"}} | more
    secrets.write_secret("scripted", name, json.dumps(secret))


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(secrets.read_all()["scripted"][name])
    return found


def test_a_fresh_token_replaces_the_old_one_and_nothing_else(stage: Stage, log: Any) -> None:
    store("main")
    RunsOut.fresh = {"main": "canary-new"}
    assert renew(channels, Http()) == {"renewed": 1}
    assert stored("main") == {"secrets": ["s"], "token": "canary-new", "settings": {"kept": "yes"}}
    assert "canary-new" not in log.getvalue()


@pytest.mark.parametrize("answer", ["", "old"])
def test_what_does_not_run_out_is_not_written(stage: Stage, answer: str) -> None:
    store("main")
    RunsOut.fresh = {"main": answer}
    before = version("main")
    assert renew(channels, Http()) == {"kept": 1}
    assert version("main") == before


def version(name: str) -> int:
    found = clients.session().client("ssm").get_parameter(Name=f"/sportello/scripted/{name}")
    return int(found["Parameter"]["Version"])


@pytest.mark.parametrize("trouble", [ConnectError("expired"), NoAnswer("x")])
def test_one_that_fails_keeps_its_token_and_does_not_stop_the_others(
    stage: Stage, trouble: Exception
) -> None:
    store("a")
    store("b")
    secrets.write_secret("scripted", "broken", "no json")
    secrets.write_secret("slack", "care", "https://hooks.slack.com/services/T/B/x")
    RunsOut.fresh = {"a": trouble, "b": "new"}
    assert renew(channels, Http()) == {"failed": 2, "renewed": 1}
    assert (stored("a")["token"], stored("b")["token"]) == ("old", "new")


def test_one_that_cannot_be_written_does_not_stop_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, log: Any
) -> None:
    store("a")
    store("b")
    RunsOut.fresh = {"a": "canary-new", "b": "canary-new"}
    write = secrets.write_secret

    def throttled(channel: str, name: str, text: str) -> None:
        if name == "a":
            raise RuntimeError(text)
        write(channel, name, text)

    monkeypatch.setattr(secrets, "write_secret", throttled)
    assert renew(channels, Http()) == {"failed": 1, "renewed": 1}
    assert (stored("a")["token"], stored("b")["token"]) == ("old", "canary-new")
    assert "canary" not in log.getvalue()
