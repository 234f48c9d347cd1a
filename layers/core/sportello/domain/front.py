"""The hours of whoever has not written yet: by which calendar a first message will be answered."""

from sportello.domain.desk import Desk
from sportello.domain.hours import Calendar


def calendar_of_front(desk: Desk, channel: str = "", account: str = "") -> Calendar:
    """With the account's team, else the channel's, else the first: who takes what is nothing special."""
    served, own = desk.channels.get(channel), desk.account(channel, account)
    team = (own.team if own else "") or (served.team if served else "") or desk.default_team
    return desk.calendar_of(channel, account, team)
