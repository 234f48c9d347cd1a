"""The public page of hours and ways in: its words by language, and the ways that a care lead lists."""

from collections.abc import Mapping

from sportello.domain.hours_words import CalendarWords
from sportello.domain.model import Model


class DirectoryWords(Model):
    """The texts of the page in one language (``templates/directory/<language>.yaml``)."""

    title: str
    open_now: str
    closed_now: str
    closes: str
    """``{closing}``: ``oggi alle 18:00``."""
    opens: str
    """``{opening}``"""
    always: str
    """Instead of a closing where there is none."""
    hours: str
    days: str
    """Caption of the table of the next seven days."""
    day: str
    times: str
    today: str
    zone: str
    """``{zone}``: the time zone's name."""
    ways: str
    others: str
    """Above the hours of channels, accounts and teams that differ."""
    language: str
    own_name: str
    """What the language calls itself: ``Italiano``."""
    channels: Mapping[str, str]
    """By the names of channels' modules."""
    teams: Mapping[str, str] = {}
    """Public names of teams; without one, a team's own name is shown."""


class Way(Model):
    """One way to reach the desk, as the care lead lists it (``desk.yaml``, key ``directory``)."""

    channel: str
    link: str
    """What opens the conversation: ``https://wa.me/390600000000``, ``mailto:care@example.com``."""
    account: str = ""
    """Which of our accounts it leads to, where accounts have hours of their own."""
    name: Mapping[str, str] = {}
    """What it is called, by language; empty: as the channel."""


class Directory(Model):
    """All that the page says: ``directory.json`` of the layer."""

    words: Mapping[str, DirectoryWords] = {}
    calendar: Mapping[str, CalendarWords] = {}
    ways: tuple[Way, ...] = ()
