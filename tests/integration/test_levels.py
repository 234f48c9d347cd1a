"""Who of the levels hears what: each target every reason of its level once, whatever fails meanwhile."""

from typing import Any

import pytest

from sportello.aws.outbox import Address
from sportello.domain.model import DAY, HOUR, MINUTE
from sportello.domain.reasons import Reason
from sportello.domain.staff import Escalation, Level, OnCall, Person, Target, Team
from sportello.domain.take_link import read_token
from sportello.services import reply
from tests.integration import faults as fault
from tests.integration.desk_people import SECRET, People, no_key, token_in
from tests.integration.faults import Faults
from tests.integration.stage import CLOSED, OPEN, Stage, address_of, calls, inbound, kicks, put_row, real_now

LEAD = Target(email="lead@example.com")
LEVELS = (Level(tell=("team",)), Level(tell=("on_call",)), Level(tell=(LEAD,)))


@pytest.fixture
def people(stage: Stage, aws: Faults) -> People:
    fields: dict[str, Any] = {
        "teams": {"care": Team(tell=(Target(slack="care"),)), "back": Team(tell=(Target(slack="lead"),))},
        "people": {"anna": Person(teams=("care",), tell=(Target(slack="night"),))},
        "escalation": Escalation(levels=LEVELS, on_call=(OnCall(who="anna", when="Mo-Fr 18:00-09:00"),)),
    }
    stage.desk = stage.desk.model_copy(update=fields)
    return People(stage, aws)


def test_each_level_hears_its_own_pages(people: People) -> None:
    people.stage.now = CLOSED
    address = people.calls(1, Reason.URGENT, urgent=True)
    assert people.notify(address) == "told"
    people.further(address, Reason.UNACKNOWLEDGED, level=2)
    assert people.notify(address) == "told"
    people.further(address, Reason.UNACKNOWLEDGED, level=3)
    assert people.notify(address) == "told"
    people.further(address, Reason.UNACKNOWLEDGED, level=3)
    assert people.notify(address) == "told"
    assert (len(people.slack.titles("care")), len(people.slack.titles("night"))) == (1, 1)
    assert [mail["Destination"]["ToAddresses"] for mail in people.mails] == [["lead@example.com"]] * 2
    assert "due" not in people.row(address)


def test_who_is_called_now_hears_all_that_led_to_it(people: People) -> None:
    people.stage.now = CLOSED
    address = people.calls(1, Reason.URGENT)
    people.notify(address)
    people.further(address, Reason.UNACKNOWLEDGED, level=2)
    people.notify(address)
    (title,) = people.slack.titles("night")
    assert "sembra urgente" in title
    assert "nessuno l'ha ancora presa in carico" in title


def test_nobody_on_call_is_said_to_whoever_is_told_instead(people: People) -> None:
    people.stage.now = OPEN
    address = people.calls(1, Reason.URGENT, level=2)
    assert people.notify(address) == "told"
    (mail,) = people.mails
    assert "Nessuno è reperibile ora" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_a_team_that_takes_over_is_the_one_that_hears(people: People) -> None:
    address = people.calls(1, Reason.NO_ANSWER)
    people.notify(address)
    people.further(address, Reason.ROUTED_FALLBACK, team="back")
    assert people.notify(address) == "told"
    assert (len(people.slack.titles("care")), len(people.slack.titles("lead"))) == (1, 1)


def test_a_channel_that_is_gone_is_replaced_by_the_next_level(people: People) -> None:
    people.slack.down = {"care": 404}
    people.stage.now = CLOSED
    address = people.calls(1, Reason.URGENT)
    assert people.notify(address) == "told"
    assert len(people.slack.titles("night")) == 1
    assert people.row(address)["refused"]["slack-care"].startswith("404")


def test_a_level_that_fails_is_tried_again_alone(people: People, aws: Faults) -> None:
    both = Level(tell=("team", LEAD))
    people.stage.desk = people.stage.desk.model_copy(update={"escalation": Escalation(levels=(both,))})
    aws.inject("sesv2.SendEmail", fault.throttled, times=3)
    address = people.calls(1, Reason.URGENT)
    assert people.notify(address) == "try_again"
    assert people.row(address)["due"] > real_now()
    people.slack.down = {"care": 500}
    assert people.notify(address) == "told"
    assert len(people.slack.titles("care")) == 1
    assert people.row(address)["told"] == {"slack-care": 1, LEAD.key: 1}


def test_what_nobody_takes_reaches_the_last_level_in_the_configured_time(people: People) -> None:
    """From the customer's word at night, through decide, sweeper and notifier, minute by minute."""
    stage = people.stage
    stage.now = CLOSED
    stage.take(inbound("URGENTE: la caldaia perde gas", at=CLOSED))
    heard: dict[str, int] = {}
    for minute in range(61):
        stage.now = CLOSED + minute * MINUTE
        stage.sweep()
        for thread, key in kicks("escalation"):
            people.notify(Address(thread, key))
        told = {"lead": len(people.mails), **{n: len(people.slack.titles(n)) for n in ("care", "night")}}
        heard |= {name: minute for name, count in told.items() if count and name not in heard}
    assert heard == {"care": 0, "night": 15, "lead": 30}
    assert len(people.mails) == 2, "the last level is paged again"


# --- what is no news any more ---------------------------------------------------------------------


@pytest.mark.parametrize("state", [{"claimed_by": "anna"}, {"owed_since": None}])
def test_a_page_that_comes_too_late_pages_nobody(people: People, state: dict[str, Any]) -> None:
    """Somebody took it, or answered, between the deadline's commit and the notifier."""
    address = people.calls(1, Reason.UNACKNOWLEDGED, level=2, **state)
    assert people.notify(address) == "taken"
    assert people.slack.told == []
    assert "due" not in people.row(address)
    people.further(address, Reason.SEND_FAILED)
    assert people.notify(address) == "told"
    assert len(people.slack.titles("care")) == 1


def test_what_is_new_is_told_although_somebody_has_it(people: People) -> None:
    address = people.calls(1, Reason.SEND_FAILED, claimed_by="anna")
    assert people.notify(address) == "told"
    assert len(people.slack.titles("care")) == 1


# --- the context pack ---------------------------------------------------------------------------------


def test_a_notice_knows_who_why_since_when_and_by_when(stage: Stage, aws: Faults) -> None:
    people = People(stage, aws)
    stage.take(inbound("URGENTE: il pacco non arriva, pagliacci!", at=OPEN))
    stage.now = OPEN + MINUTE
    (call,) = calls()
    people.notify(address_of(call))
    (shown,) = people.slack.shown()
    for words in (
        "Cliente: Customer One",
        "Lingua: it",
        "Messaggio: URGENTE: il pacco non arriva, pagliacci!",
        "prima risposta: oggi alle 11:00",
        "risposta completa: ",
        "Che cosa aiuta: ",
    ):
        assert words in shown, words


def test_what_is_known_of_the_customer_is_in_the_notice(stage: Stage, aws: Faults) -> None:
    people = People(stage, aws)
    address = people.calls(1, Reason.ANGRY)
    known = {"customer": {"tier": "gold", "since": "2019"}, "f:order": "10004711"}
    put_row({"PK": f"T#{address.thread}", "SK": "F", **known})
    people.notify(address)
    (shown,) = people.slack.shown()
    for words in (
        "Classe cliente: gold",
        "Si sa già: 2019; order: 10004711",
        "Prima che cosa abbiamo capito",
    ):
        assert words in shown, words


# --- the link -----------------------------------------------------------------------------------------


def test_every_target_gets_a_link_of_its_own(people: People) -> None:
    both = Level(tell=("team", LEAD))
    people.stage.desk = people.stage.desk.model_copy(update={"escalation": Escalation(levels=(both,))})
    address = people.calls(1, Reason.URGENT)
    people.notify(address)
    (button,) = people.slack.links()
    text = people.mails[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    (line,) = [line for line in text.splitlines() if line.startswith("La prendo io: ")]
    links = [
        read_token(token_in(url), [SECRET], real_now())
        for url in (button, line.removeprefix("La prendo io: "))
    ]
    assert [(link.thread, link.key) for link in links if link] == [(address.thread, address.key)] * 2
    assert [link.target for link in links if link] == ["slack-care", LEAD.key]
    assert all(link and 0 <= real_now() + 7 * DAY - link.expires < HOUR for link in links)


def test_people_are_told_although_no_link_can_be_signed(people: People) -> None:
    people.secret = no_key
    address = people.calls(1, Reason.URGENT)
    assert people.notify(address) == "told"
    assert people.slack.links() == []
    assert len(people.slack.titles()) == 1


def test_taking_it_by_command_stops_the_pages(people: People) -> None:
    address = people.calls(1, Reason.URGENT)
    people.notify(address)
    reply.claim(people.stage.person("bruno"), address.thread)
    people.further(address, Reason.UNACKNOWLEDGED, level=2)
    assert people.notify(address) == "taken"
