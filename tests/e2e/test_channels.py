"""What every channel does alike, each against the platform that stands in for it.

What only one channel does is tested in ``tests/e2e/channels``.
"""

import pytest

from infra.world.discovery import stand_ins
from infra.world.model import Webhook
from tests.e2e.stage import Customer, Stage, post, stays

EVENING = "2026-12-08 20:15"  # a Tuesday
ASKED = "Buonasera, dov'è il mio pacco?"
HOURS = "domani alle 9:00"
ANSWER = "Arriva domani mattina."
CHANNELS = [kind.name for kind in stand_ins() if kind.account_model]
SPOKEN = {"voice"}
"""The caller hears the hours in our answer to the call, and nothing can be written to a call."""
WRITTEN = [name for name in CHANNELS if name not in SPOKEN]
SIGNED = [kind.name for kind in stand_ins() if kind.account_model and kind.webhooks]
OWN = {"webchat"}
"""The protocol is ours, and a refusal says why."""
PLAIN = frozenset({"content-type", "content-encoding", "user-agent", "accept", "accept-encoding"})
"""Headers that prove nothing."""
OTHER = str.maketrans("0123456789abcdef", "123456789abcdef0")


def writes_when_closed(stage: Stage, channel: str) -> Customer:
    """A customer who has been told the hours."""
    stage.at(EVENING)
    customer = stage.customer(channel)
    customer.say(ASKED)
    (hours,) = customer.hears(1)
    assert HOURS in hours
    return customer


def test_every_channel_is_connected(stage: Stage) -> None:
    assert list(stage.desk.accounts) == CHANNELS


@pytest.mark.parametrize("channel", WRITTEN)
def test_after_hours_the_hours_are_told_once(stage: Stage, channel: str) -> None:
    customer = writes_when_closed(stage, channel)
    customer.say("L'ho ordinato lunedì scorso.")
    stays(lambda: len(customer.heard()) == 1, "the hours are told once")
    stored = [row.text for row in customer.rows() if row.direction == "in" and row.owes]
    assert stored == [ASKED, "L'ho ordinato lunedì scorso."]
    assert customer.thread.owes


@pytest.mark.parametrize("channel", WRITTEN)
def test_a_person_s_answer_reaches_the_phone(stage: Stage, channel: str) -> None:
    customer = writes_when_closed(stage, channel)
    row = customer.answer(ANSWER)
    assert ANSWER in customer.hears(2)[1]
    assert customer.row_ends(row.key, "sent").id
    assert not customer.thread.owes


@pytest.mark.parametrize("channel", WRITTEN)
def test_the_same_webhook_again_changes_nothing(stage: Stage, channel: str) -> None:
    stage.at(EVENING)
    customer = stage.customer(channel)
    said = customer.say(ASKED, copies=3)
    assert len(said.statuses) == 3
    customer.hears(1)
    stage.settle()
    before = customer.rows()
    assert stage.desk.client.redeliver(said.id).status == said.status
    assert customer.rows() == before
    stays(lambda: len(customer.heard()) == 1, "nothing more is said")


@pytest.mark.parametrize("channel", SIGNED)
def test_what_the_platform_has_not_signed_is_refused(stage: Stage, channel: str) -> None:
    stage.at(EVENING)
    customer = stage.customer(channel)
    said = stage.desk.client.say(channel, ASKED, customer.name, deliver=False)
    assert said.request is not None
    for forged in (unsigned(said.request), wrongly_signed(said.request)):
        status, body = post(forged.url, forged.content, forged.headers)
        assert status == 401
        assert body == b"" or channel in OWN
    assert customer.threads() == []


def unsigned(webhook: Webhook) -> Webhook:
    """Without the headers and the query that prove where it comes from."""
    headers = {name: value for name, value in webhook.headers.items() if name.lower() in PLAIN}
    return webhook.model_copy(update={"headers": headers, "url": webhook.url.partition("?")[0]})


def wrongly_signed(webhook: Webhook) -> Webhook:
    """With proofs of the right form that are not those of this body."""
    headers = {
        name: value if name.lower() in PLAIN else turned(value) for name, value in webhook.headers.items()
    }
    address, mark, query = webhook.url.partition("?")
    return webhook.model_copy(update={"headers": headers, "url": address + mark + turned(query)})


def turned(proof: str) -> str:
    """Other digits and letters behind the last ``name=`` of a proof, if it has one; its form stays."""
    form, equals, value = proof.rstrip("=").rpartition("=")
    return form + equals + value.translate(OTHER) + "=" * (len(proof) - len(proof.rstrip("=")))
