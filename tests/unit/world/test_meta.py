"""Messenger's and Instagram's stand-ins, met by our own channels as the platforms would be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.world.client import WorldClient
from infra.world.meta_account import LOCAL_INSTAGRAM, LOCAL_PAGE
from infra.world.model import OptionsChange, Setup
from infra.world.server import World
from sportello.channels.base import (
    Account,
    Attachment,
    Button,
    Channel,
    Connection,
    NotSent,
    Outbound,
    Problem,
    Request,
    Sent,
)
from sportello.channels.http import Http
from sportello.channels.instagram import Instagram
from sportello.channels.messenger import Messenger
from sportello.domain.events import Delete, Echo, Edit, Inbound, Kind, PlatformEvent, Receipt
from sportello.domain.model import DAY
from tests.unit.world.calls import Desk

ACCOUNTS = {"messenger": LOCAL_PAGE, "instagram": LOCAL_INSTAGRAM}
CHANNELS: dict[str, Channel] = {"messenger": Messenger(), "instagram": Instagram()}
BOTH = pytest.mark.parametrize("name", ["messenger", "instagram"])


class Meeting:
    """One channel of ours and its platform."""

    def __init__(self, name: str, world: World, client: WorldClient, desk: Desk) -> None:
        self.name, self.world, self.client, self.desk = name, world, client, desk
        self.channel, self.http = CHANNELS[name], Http(world.url)
        self.account: Any = ACCOUNTS[name].model_copy(update={"webhook_url": f"{desk.url}/{name}"})
        self.set_up()

    def set_up(self, receipts: Any = "on", **changes: Any) -> None:
        self.account = self.account.model_copy(update=changes)
        options = OptionsChange(receipts=receipts)
        self.client.setup(Setup(accounts=(self.account.at(self.name),), options=options))

    @property
    def connection(self) -> Connection:
        stored = self.world.channels[self.name].local_connection(self.account)
        return Connection.model_validate({"name": "main", **stored})

    def events(self) -> list[PlatformEvent]:
        """What reached us, verified and read."""
        self.client.settle()
        found: list[PlatformEvent] = []
        for _, headers, body in self.desk.requests:
            request = Request(method="POST", headers=headers, body=body)
            assert self.channel.verify(request, self.connection)
            found += self.channel.parse(request, self.connection)
        return found

    def said(self, text: str = "Salve", **more: Any) -> Inbound:
        self.client.say(self.name, text, **more)
        found = [event for event in self.events() if isinstance(event, Inbound)][-1]
        assert found.account == self.account.id
        return found

    def send(self, to: str, text: str = "Eccoci", **more: Any) -> Any:
        message = Outbound.model_validate({"account": self.account.id, "to": to, "text": text, **more})
        return self.channel.send(message, self.connection, self.http)


@contextmanager
def meeting(name: str) -> Iterator[Meeting]:
    desk = Desk()
    with World() as world:
        client = world.client()
        yield Meeting(name, world, client, desk)
        client.close()
    desk.close()


@BOTH
def test_kinds_of_messages_are_read_as_what_they_are(name: str) -> None:
    with meeting(name) as met:
        assert (met.said("Salve").kind, met.said("Salve").text) == (Kind.TEXT, "Salve")
        for media, kind in (
            ("photo", "image"),
            ("video", "video"),
            ("voice", "audio"),
            ("document", "document"),
        ):
            found = met.said("", kind="media", media=media)
            assert [file.kind for file in found.media] == [kind]
            assert Http(met.world.url).request("GET", found.media[0].url).status == 200
        assert met.said("", kind="sticker").media[0].kind == "sticker"
        assert met.said("", kind="unsupported").kind is Kind.UNSUPPORTED
        start = met.said("", kind="start", more={"ref": "window"})
        assert (start.kind, start.payload) == (Kind.START, "window")
        standby = met.said("Salve", more={"standby": "yes"})
        assert (standby.addressed, standby.detail) == (False, "standby")


@BOTH
def test_a_conversation_there_and_back(name: str) -> None:
    with meeting(name) as met:
        met.set_up(receipts="read")
        first = met.said("Salve")
        buttons = (Button(id="hours", title="Orari"),)
        outcome = met.send(first.customer.address, quote=first.id, tag="T1", buttons=buttons)
        assert isinstance(outcome, Sent)
        shown = met.client.phone(name)[-1]
        assert (shown.id, shown.text, shown.quote, shown.buttons) == (outcome.id, "Eccoci", first.id, buttons)
        tap = met.said("", kind="button", button="Orari")
        assert (tap.kind, tap.payload) == (Kind.BUTTON, "hours")
        heart = met.said("❤️", kind="reaction")
        assert (heart.kind, heart.quote) == (Kind.REACTION, outcome.id)
        met.client.say(name, "Salve!", kind="edit", target=first.id)
        met.client.say(name, kind="delete", target=first.id)
        events = met.events()
        (echo,) = [event for event in events if isinstance(event, Echo)]
        assert (echo.id, echo.text, echo.tag) == (outcome.id, "Eccoci", "T1" if name == "messenger" else "")
        statuses = {event.status for event in events if isinstance(event, Receipt)}
        assert statuses == ({"delivered", "read"} if name == "messenger" else {"read"})
        assert [event.original for event in events if isinstance(event, Edit)] == [first.id]
        assert [event.originals for event in events if isinstance(event, Delete)] == [(first.id,)]


@BOTH
def test_a_person_in_metas_inbox_comes_as_an_echo(name: str) -> None:
    with meeting(name) as met:
        met.said("Salve")
        met.client.say(name, "Ci penso io", as_owner=True)
        (echo,) = [event for event in met.events() if isinstance(event, Echo)]
        assert (echo.text, echo.author) == ("Ci penso io", "person")


@BOTH
def test_the_window_closes_and_a_person_has_longer(name: str) -> None:
    with meeting(name) as met:
        to = met.said("Salve").customer.address
        met.client.clock(DAY + 1)
        late = met.send(to)
        assert isinstance(late, NotSent)
        assert late.problem is Problem.WINDOW_CLOSED
        assert isinstance(met.send(to, by_person=True), Sent)
        met.set_up(human_agent=False)
        assert met.send(to, by_person=True).problem is Problem.WINDOW_CLOSED
        met.set_up(human_agent=True)
        met.client.clock(7 * DAY + 1)
        assert met.send(to, by_person=True).problem is Problem.WINDOW_CLOSED


@BOTH
@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("429", Problem.BUSY),
        ("503", Problem.TEMPORARY),
        ("token_expired", Problem.RECONNECT),
        ("permission", Problem.RECONNECT),
        ("blocked", Problem.UNREACHABLE),
        ("unknown_recipient", Problem.UNREACHABLE),
        ("window_closed", Problem.WINDOW_CLOSED),
        ("other_app", Problem.REFUSED),
    ],
)
def test_what_the_platform_refuses(name: str, fault: str, problem: Problem) -> None:
    with meeting(name) as met:
        to = met.said("Salve").customer.address
        met.client.fault(name, fault)
        assert met.send(to).problem is problem
        assert isinstance(met.send(to), Sent)


@BOTH
def test_strangers_blocked_people_and_wrong_bodies(name: str) -> None:
    with meeting(name) as met:
        assert met.send("123").problem is Problem.UNREACHABLE
        to = met.said("Salve").customer.address
        met.client.say(name, kind="block")
        assert met.send(to).problem is Problem.UNREACHABLE
        met.client.say(name, kind="unblock")
        limit = 2000 if name == "messenger" else 1000
        assert isinstance(met.send(to, "x" * limit), Sent)
        assert met.send(to, "x" * (limit + 1)).problem is Problem.REFUSED
        stranger = met.connection.model_copy(update={"token": "another"})
        message = Outbound(account=met.account.id, to=to, text="x")
        refused = met.channel.send(message, stranger, met.http)
        assert isinstance(refused, NotSent)
        assert refused.problem is Problem.RECONNECT


@BOTH
def test_a_file_of_ours_is_fetched(name: str) -> None:
    with meeting(name) as met:
        to = met.said("Salve").customer.address
        url = f"{met.world.url}/cdn.example.com/a/photo.jpg"
        met.client.file("https://cdn.example.com/a/photo.jpg", mime="image/jpeg")
        file = Attachment(kind="image", mime="image/jpeg", name="photo.jpg", size=10, url=url)
        assert isinstance(met.send(to, "", attachment=file), Sent)
        shown = met.client.phone(name)[-1]
        assert shown.kind == "image"
        assert shown.file is not None
        assert shown.file.url == url
        gone = file.model_copy(update={"url": f"{met.world.url}/cdn.example.com/a/none.jpg"})
        assert isinstance(met.send(to, "", attachment=gone), NotSent)


@BOTH
def test_comments_in_public_in_private_and_hidden(name: str) -> None:
    with meeting(name) as met:
        found = met.said("Quando torna?", kind="comment")
        assert (found.public, found.kind, found.text) == (True, Kind.TEXT, "Quando torna?")
        thread, to = found.customer.id, found.customer.address
        author = thread.rpartition(":")[2]
        assert isinstance(met.send(to, "Lunedì"), Sent)
        assert [item.text for item in met.client.phone(name, author)] == ["Quando torna?", "Lunedì"]
        assert [event for event in met.events() if isinstance(event, Echo)] == []
        private = met.send(to, "Le scriviamo qui", act="private")
        assert isinstance(private, Sent)
        assert met.client.phone(name)[-1].text == "Le scriviamo qui"
        assert met.send(to, "", act="hide") == Sent(id=found.id)
        assert met.client.phone(name, author)[0].hidden
        again = met.send(to, "Ancora", act="private")
        assert again.problem is Problem.REFUSED
        written = met.said("Grazie")
        assert written.customer.id == private.linked
        assert written.customer.id != author
        other = met.said("E in rosso?", kind="comment", quote=found.id)
        assert (other.customer.id, other.quote) == (thread, found.id)
        met.client.clock(7 * DAY + 1000)
        late = met.send(other.customer.address, "Tardi", act="private")
        assert late.problem in (Problem.WINDOW_CLOSED, Problem.REFUSED)


def test_a_page_comment_is_changed_and_removed() -> None:
    with meeting("messenger") as met:
        found = met.said("Quando?", kind="comment")
        met.client.say("messenger", "Quando torna?", kind="comment_edit")
        met.client.say("messenger", kind="comment_delete")
        edit, gone = met.events()[1:]
        assert isinstance(edit, Edit)
        assert isinstance(gone, Delete)
        assert (edit.original, edit.text, gone.originals) == (found.id, "Quando torna?", (found.id,))
        assert isinstance(met.send(found.customer.address), NotSent)


def test_stories_are_told_and_not_kept() -> None:
    with meeting("instagram") as met:
        reply = met.said("Bello!", kind="story_reply")
        mention = met.said("", kind="story_mention")
        assert [media.keep for media in (*reply.media, *mention.media)] == [False, False]
        assert (reply.addressed, mention.addressed) == (True, False)


@BOTH
def test_names_are_told_of_people_who_wrote(name: str) -> None:
    with meeting(name) as met:
        to = met.said("Salve").customer.address
        profile = met.channel.profile(to, met.connection, met.http)
        assert profile is not None
        assert profile.name == "Customer One"
        assert met.channel.profile("6000000999999999", met.connection, met.http) is None


@pytest.mark.parametrize(
    ("name", "login"), [("messenger", ""), ("instagram", "instagram"), ("instagram", "facebook")]
)
def test_connecting_and_what_doctor_finds(name: str, login: str) -> None:
    with meeting(name) as met:
        if login:
            met.set_up(login=login)
        probed = met.channel.probe(met.connection, met.http)
        assert probed.accounts == (Account(id=met.account.id, name=met.account.name),)
        connection = met.connection.model_copy(
            update={"settings": {**met.connection.settings, **probed.settings}}
        )
        url = f"{met.desk.url}/{name}"
        met.set_up(fields=(), app_fields=(), subscribed=False, webhook_url="")
        by_hand = login == "instagram"
        found = [finding.code for finding in met.channel.examine(connection, url, met.http)]
        assert found == (["not_subscribed"] if by_hand else ["webhook_missing", "not_subscribed"])
        met.channel.register(connection, url, met.http)
        assert list(met.channel.examine(connection, url, met.http)) == []
        if not by_hand:
            account = met.world.state.account(name)
            assert account.webhook_url == url
            elsewhere = [found.code for found in met.channel.examine(connection, "https://else", met.http)]
            assert elsewhere == ["webhook_elsewhere"]


def test_an_account_that_withholds_its_messages_is_found() -> None:
    with meeting("instagram") as met:
        to = met.said("Salve").customer.address
        met.set_up(messages_on=False)
        assert met.send(to).problem is Problem.RECONNECT
        found = met.channel.examine(met.connection, met.account.webhook_url, met.http)
        assert [finding.code for finding in found] == ["messages_off"]


def test_a_token_of_instagram_login_is_renewed_and_the_older_one_works_on() -> None:
    with meeting("instagram") as met:
        to = met.said("Salve").customer.address
        older = met.connection
        newer = met.channel.renew(older, met.http)
        assert newer
        assert newer != older.token
        for token in (older.token, newer):
            message = Outbound(account=met.account.id, to=to, text="x")
            renewed = older.model_copy(update={"token": token})
            assert isinstance(met.channel.send(message, renewed, met.http), Sent)
