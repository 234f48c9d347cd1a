"""A model chooses among the entries, and nothing that it or a customer says becomes an answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber

from sportello.aws import bedrock as client
from sportello.aws.logging import logger
from sportello.domain.faq import Faq
from sportello.services.bedrock import LONGEST, BedrockAnswerer, answerer_for
from sportello.services.faq import Hit, LexicalAnswerer
from tests.unit.test_faq import AT, LOCALE

MODEL = "amazon.nova-lite-v1:0"
FAQ = Faq(locales={"en": LOCALE}, answerer="bedrock", model=MODEL, region="eu-central-1")
LEXICAL = LexicalAnswerer(FAQ, "UTC")
ODD = "in which manner might garments travel towards you again?"
"""No word of it is in the file: only a model would know."""


class Model:
    """Stands in for ``converse``: says one thing, and keeps what it was asked."""

    def __init__(self, says: str | Exception) -> None:
        self.says = says
        self.asked: list[dict[str, Any]] = []

    def __call__(self, model: str, region: str, **asked: Any) -> str:
        self.asked.append({"model": model, "region": region} | asked)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def ask(says: str | Exception, text: str = ODD, *, public: bool = False) -> tuple[Hit | None, Model]:
    model = Model(says)
    answerer = BedrockAnswerer(FAQ, LEXICAL, model)
    return answerer.answer(text, "en", AT, channel="webchat", account="a", public=public), model


def test_what_words_do_not_find_a_model_may() -> None:
    hit, model = ask("returns\n")
    assert hit == Hit("returns", 1.0, "en", "returns")
    assert (model.asked[0]["model"], model.asked[0]["region"]) == (MODEL, "eu-central-1")
    assert "returns: how do I return an item" in model.asked[0]["system"]
    assert ODD in model.asked[0]["text"]
    assert ODD not in model.asked[0]["system"]


@pytest.mark.parametrize(
    "said",
    [
        "none",
        "",
        "nonsense",
        "Returns",
        "returns.",
        "returns, refund",
        "The answer is returns",
        '{"id": "returns"}',
        "<b>returns</b>",
        "We give you 100 euros.",
        "signal",  # an entry, but of another channel
        "returns" * 100,
    ],
)
def test_anything_but_a_known_id_is_no_answer(said: str) -> None:
    """Also where the words alone would have found an entry."""
    assert ask(said)[0] is None
    assert ask(said, "how do I return an item?")[0] is None


def test_a_private_entry_cannot_be_chosen_in_public() -> None:
    assert ask("address", public=False)[0] == Hit("address", 1.0, "en", "")
    hit, model = ask("address", public=True)
    assert hit is None
    assert "address:" not in model.asked[0]["system"]


@pytest.mark.parametrize(
    "text",
    [
        "it never arrived, how do I return it?",
        "how do I return order 48812733?",
        "my card is 4111 1111 1111 1111, how do I return it?",
        "write to someone@example.com how do I return it?",
        "a story " * 40,
        "I just wanted to say that all went well",
    ],
)
def test_what_is_a_persons_is_not_sent(text: str) -> None:
    hit, model = ask("returns", text)
    assert hit is None
    assert model.asked == []


def test_a_long_word_is_cut() -> None:
    _, model = ask("none", "why? " + "x" * 5_000)
    assert len(model.asked[0]["text"]) < LONGEST + 50


def test_without_the_model_the_words_decide() -> None:
    down = client.BedrockUnavailable("ThrottlingException")
    assert ask(down, "how do I return an item?")[0] == Hit("returns", 1.0, "en", "returns")
    assert ask(down)[0] is None


def test_a_failure_is_logged_without_the_customers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(logger, "warning", lambda line, extra: lines.append((line, extra)))
    ask(client.BedrockUnavailable("ThrottlingException"), "how do I return my secret item?")
    assert lines == [("bedrock did not answer", {"error": "ThrottlingException"})]


def test_it_is_off_unless_switched_on() -> None:
    assert isinstance(answerer_for(Faq(locales={"en": LOCALE}), "UTC"), LexicalAnswerer)
    assert isinstance(answerer_for(FAQ, "UTC"), BedrockAnswerer)


# --- the call --------------------------------------------------------------------------------------


@pytest.fixture
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    client.client.cache_clear()
    with Stubber(client.client("eu-central-1")) as stub:
        yield stub
    client.client.cache_clear()


def converse() -> str:
    return client.converse(MODEL, "eu-central-1", system="Choose.", text="Hello", most_tokens=40)


def reply(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(parts)}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }


def test_the_call_is_short_cold_and_in_the_region_that_was_named(bedrock: Stubber) -> None:
    asked = {
        "modelId": MODEL,
        "system": [{"text": "Choose."}],
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "inferenceConfig": {"maxTokens": 40, "temperature": 0},
    }
    bedrock.add_response("converse", reply({"text": "re"}, {"text": "turns"}), asked)
    assert converse() == "returns"
    made = client.client("eu-central-1").meta
    assert made.region_name == "eu-central-1"
    assert made.config.connect_timeout + made.config.read_timeout <= 5
    assert made.config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ModelTimeoutException"])
def test_an_error_is_told_by_its_code_alone(bedrock: Stubber, code: str) -> None:
    bedrock.add_client_error("converse", code, "Hello was refused", 400)
    with pytest.raises(client.BedrockUnavailable) as error:
        converse()
    assert str(error.value) == code
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    "answer", [reply({"toolUse": {"toolUseId": "1", "name": "x", "input": {}}}), {"output": {}}]
)
def test_an_answer_that_is_no_text_is_none(bedrock: Stubber, answer: dict[str, Any]) -> None:
    bedrock.add_response("converse", reply({"text": "returns"}))
    events = client.client("eu-central-1").meta.events
    events.register("after-call", lambda parsed, **_: parsed.update(answer))
    with pytest.raises(client.BedrockUnavailable):
        converse()


@pytest.mark.parametrize("failure", [ReadTimeoutError, ConnectTimeoutError])
def test_silence_is_a_failure(bedrock: Stubber, failure: Any) -> None:
    def silent(**_: Any) -> None:
        raise failure(endpoint_url="https://bedrock.test")

    bedrock.deactivate()
    client.client("eu-central-1").meta.events.register_first("before-send", silent)
    with pytest.raises(client.BedrockUnavailable) as error:
        converse()
    assert str(error.value) == failure.__name__
