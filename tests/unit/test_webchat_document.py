"""docs/webchat/openapi.yaml and the function agree: routes, limits, texts, the event for the back end.

That each answer is as the document says is held against it wherever a test asks the function
(``tests/integration/site.py``).
"""

from typing import Any

import pytest
from openapi_spec_validator import validate

from sportello import webchat
from sportello.channels import webchat_tokens as tokens
from sportello.channels import webchat_wire as wire
from sportello.channels.base import Attachment, Outbound
from sportello.channels.webchat import push_event
from sportello.domain.site import SiteWords
from sportello.services import visits
from tests.integration.site import document, mistakes

METHODS = {"get", "post", "put", "delete", "patch"}
SCHEMAS = document()["components"]["schemas"]


def described() -> set[tuple[str, str]]:
    return {
        (method.upper(), path.split("/")[1])
        for path, item in document()["paths"].items()
        for method in item.keys() & METHODS
    }


def test_it_is_an_openapi_document() -> None:
    validate(document())
    assert document()["openapi"].startswith("3.1")


def test_every_route_is_described_and_nothing_else() -> None:
    assert described() == {*webchat.ROUTES, ("GET", "widget")}


def test_every_route_but_the_first_two_wants_a_token() -> None:
    for path, item in document()["paths"].items():
        for method in item.keys() & METHODS:
            open_to_all = path.split("/")[1] in ("session", "widget")
            assert ("security" in item[method]) is not open_to_all


@pytest.mark.parametrize(
    ("described", "limit"),
    [
        (SCHEMAS["NewMessage"]["properties"]["text"]["maxLength"], wire.TEXT_MOST),
        (SCHEMAS["NewMessage"]["properties"]["files"]["maxItems"], wire.FILES_MOST),
        (SCHEMAS["NewFile"]["properties"]["size"]["maximum"], wire.FILE_MOST),
        (SCHEMAS["NewFile"]["properties"]["number"]["maximum"], wire.FILES_MOST - 1),
        (SCHEMAS["NewFile"]["properties"]["name"]["maxLength"], wire.NAME_MOST),
        (SCHEMAS["SessionRequest"]["properties"]["visitor_token"]["maxLength"], tokens.LONGEST),
        (SCHEMAS["MessageId"]["pattern"], f"^{wire._MESSAGE_ID.pattern}$"),
    ],
)
def test_its_limits_are_ours(described: object, limit: object) -> None:
    assert described == limit


def test_its_words_are_ours() -> None:
    text = str(document())
    assert f"At most {visits.MESSAGES_A_MINUTE} messages" in text
    assert f"good for {tokens.ACCESS_SECONDS // 3600} hours" in text
    assert f"until {tokens.RENEWAL_SECONDS // 86_400} days" in text
    assert f"at most {webchat.BODY_LIMIT // 1024} KiB" in text
    assert webchat.RETRY_HEADER in text


CODES = (
    "token", "identity", "session_ended", "origin", "no_such_site", "no_such_route", "no_such_file",
    "too_large", "wrong_field", "cursor", "file_missing", "too_many", "busy", "other_message", "write_first",
)  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_word_for_programs_is_explained(code: str) -> None:
    assert f"`{code}`" in str(document())


@pytest.mark.parametrize("to", ["u:c-1", "a:00"])
@pytest.mark.parametrize("by_person", [True, False])
def test_the_event_for_the_back_end_is_as_described(to: str, by_person: bool) -> None:
    file = Attachment(kind="image", mime="image/png", name="a.png", size=1, url="https://example.com")
    message = Outbound(account="main", to=to, text="Hello", by_person=by_person, attachment=file)
    assert mistakes({"$ref": "#/components/schemas/Push"}, push_event(message, "id")) == []


def test_a_wrong_answer_would_be_noticed() -> None:
    wrong: dict[str, Any] = {"error": "x"}
    assert mistakes({"$ref": "#/components/schemas/Error"}, wrong)
    assert mistakes({"$ref": "#/components/schemas/Written"}, {"id": "short"})


def test_the_widget_says_nothing_that_the_texts_lack() -> None:
    source = webchat.WIDGET.read_text("utf-8")
    used = {word for word in SiteWords.model_fields if f"texts.{word}" in source}
    mailed = {"mail_subject", "mail_intro", "mail_line"}
    assert used == SiteWords.model_fields.keys() - mailed
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source
    assert "eval(" not in source
