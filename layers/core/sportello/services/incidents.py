"""Calls alike become one incident: each is counted once, people are told once, and of how it grows.

Any number of notifiers work at once. What opens an incident is one transaction on the wave's row, so there
is one; its notice is told as a call's is, each target at least once. A conversation that is part of it
still owes its answer and keeps its deadlines.
"""

import time
from collections.abc import Collection, Sequence

from sportello.aws import escalations, incidents, queues, store, together
from sportello.aws.clock import real_now
from sportello.aws.incidents import Settling
from sportello.aws.logging import logger
from sportello.aws.outbox import Address
from sportello.domain import keys
from sportello.domain.escalating import Told, on_call, recipients
from sportello.domain.incidents import Counted, Folded, Incident, News, growth, is_open, wave_of
from sportello.domain.incidents import fold as folded
from sportello.domain.incidents import page as next_page
from sportello.domain.message import Escalation, Why
from sportello.domain.model import MINUTE, Instant
from sportello.domain.staff import Target
from sportello.domain.thread import Thread
from sportello.services import notices, rows
from sportello.services.context import tries
from sportello.services.telling import Notifier, link, tell, wait

SAMPLES = 5
"""Conversations whose first words an incident's notice shows."""
PATIENCE_SECONDS = 20.0
LEASE = MINUTE


def fold(
    notifier: Notifier, address: Address, thread: Thread, call: Escalation, fresh: Sequence[Why]
) -> bool:
    """Whether the call is part of an incident now, so that nobody is told of it alone."""
    kind = wave_of((why.why for why in fresh), thread.public)
    kind = kind or wave_of((why.why for why in call.whys), thread.public)
    if not kind:
        return False
    team = fresh[-1].team or call.team
    at = together.of_team(team, keys.wave_key(kind))
    counted = Counted(fresh[-1].at, address.thread, address.key)
    expires = rows.expires(notifier.desk, notifier.now())
    for _ in tries(time.monotonic() + PATIENCE_SECONDS):
        wave, rev = incidents.read_wave(at)
        result = folded(wave, counted, notifier.desk, keys.incident_key(counted.at, kind))
        incident = Address(at.thread, result.wave.incident)
        joining = Settling(address, len(call.whys), incident)
        match result.verdict:
            case "alone":
                if incidents.count_alone(at, result.wave, rev, expires):
                    return False
            case "opens":
                opened = _opened(result, team, kind)
                if incidents.open_incident(at, result.wave, rev, expires, joining, opened):
                    _begin(incident, result.calls)
                    return True
            case "joins":
                if call.incident == incident.tag:  # the conversation was counted before
                    incidents.settle(joining)
                    return True
                if incidents.join(at, joining, result.wave.last):
                    return True
        if _is_folded(joining):
            return True  # another notifier has the same call
    raise AssertionError("tries ends by raising Busy")


def _is_folded(joining: Settling) -> bool:
    _, call = escalations.read(joining.address)
    return call is not None and call.folded >= joining.reasons


def _opened(result: Folded, team: str, kind: str) -> Incident:
    wave = result.wave
    return Incident(
        key=wave.incident,
        team=team,
        wave=kind,
        opened=wave.opened,
        since=result.calls[0].at,
        news=(News("opened", wave.opened, wave.conversations),),
        told={},
        refused={},
        samples=tuple(one.thread for one in result.calls[:SAMPLES]),
        due=real_now() + LEASE,
    )


def _begin(incident: Address, calls: Sequence[Counted]) -> None:
    """Whoever was told alone before is part of it: pages of theirs are the incident's."""
    for one in calls:
        incidents.mark(Address(one.thread, one.key), incident)
    _kick(incident)


def _kick(incident: Address) -> None:
    """Best effort: the sweeper finds it within a minute."""
    try:
        queues.kick_escalation(incident.thread, incident.key)
    except queues.BadId:
        raise
    except Exception as error:
        logger.warning("kick failed", extra={"thread_id": incident.thread, "error": type(error).__name__})


def page(notifier: Notifier, call: Escalation, fresh: Sequence[Why]) -> None:
    """A conversation of an incident is paged again: it is the incident that climbs the levels."""
    at = together.of_tag(call.incident)
    incident = incidents.read(at)
    if incident is None:
        return
    news = next_page(incident, max(why.level for why in fresh), notifier.desk, fresh[-1].at)
    if news is not None and incidents.add_news(at, incident, news, real_now() + LEASE):
        _kick(at)


# --- telling ----------------------------------------------------------------------------------


def tell_all(notifier: Notifier, address: Address) -> str:
    """Tell an incident's news to whom they have not been told; then, how it has grown."""
    incident = incidents.read(address)
    if incident is None:
        return "no_such_incident"
    if not _waiting(notifier, incident):
        incident = _grown(notifier, address, incident)
    waiting = _waiting(notifier, incident)
    gone = dict(incident.refused)
    if not _tell_each(notifier, address, incident, waiting, gone):
        together.look_again(address, real_now() + wait(incident.attempt))
        return "try_again"
    _look_later(notifier, address, incident)
    return "nobody_told" if not _audience(notifier, incident, incident.news[-1], gone).targets else "told"


def _audience(notifier: Notifier, incident: Incident, news: News, gone: Collection[str]) -> Told:
    """Of a page, its level; of the rest, every level that was reached, and whoever is on call."""
    desk, now = notifier.desk, notifier.now()
    if news.what == "unacknowledged":
        return recipients(desk, incident.team, news.level, now, gone)
    found = [recipients(desk, incident.team, level, now, gone) for level in range(1, news.level + 1)]
    targets = [target for told in found for target in told.targets]
    targets += [target for target in on_call(desk, now) if target.key not in gone]
    once = {target.key: target for target in targets}
    return Told(tuple(once.values()), any(told.nobody_on_call for told in found))


def _waiting(notifier: Notifier, incident: Incident) -> list[tuple[Target, News, bool]]:
    """Who lacks news, the newest that is theirs, and whether nobody is on call."""
    found: dict[str, tuple[Target, News, bool]] = {}
    for number, news in enumerate(incident.news, start=1):
        told = _audience(notifier, incident, news, incident.refused.keys())
        for target in told.targets:
            if incident.told.get(target.key, 0) < number:
                found[target.key] = (target, news, told.nobody_on_call)
    return list(found.values())


def _tell_each(
    notifier: Notifier,
    address: Address,
    incident: Incident,
    waiting: Sequence[tuple[Target, News, bool]],
    gone: dict[str, str],
) -> bool:
    """False where somebody is to be tried again, or another to be told in the place of who is ``gone``."""
    samples = _samples(incident) if waiting else ()
    done = True
    for target, news, lacking in waiting:
        notice = notices.of_incident(notifier, incident, news, samples, nobody_on_call=lacking)
        told = tell(notifier, target, notice._replace(link=link(notifier, address, target)))
        if not told.problem:
            together.told(address, target.key, len(incident.news))
            continue
        done = False
        if told.final:
            together.refused(address, target.key, told.problem)
            gone[target.key] = told.problem
    return done


def _samples(incident: Incident) -> list[Thread]:
    threads = (store.read_thread(id, consistent=True).thread for id in incident.samples)
    return [thread for thread in threads if thread is not None]


def _grown(notifier: Notifier, address: Address, incident: Incident) -> Incident:
    """The incident with news of its growth, if it is time for them."""
    wave, _ = incidents.read_wave(incidents.wave_address(incident))
    news = growth(incident, wave, notifier.desk, notifier.now())
    if news is None or not incidents.add_news(address, incident, news, real_now() + LEASE):
        return incident
    return incident._replace(news=(*incident.news, news))


def _look_later(notifier: Notifier, address: Address, incident: Incident) -> None:
    """Until it is quiet, it is seen from time to time whether it has grown."""
    escalation = notifier.desk.escalation
    wave, _ = incidents.read_wave(incidents.wave_address(incident))
    silent = wave.incident != incident.key or not is_open(wave, notifier.now(), escalation.incident_within)
    all_told = wave.incident != incident.key or wave.conversations <= incident.conversations
    if silent and all_told and incidents.no_more(address, len(incident.news)):
        return
    together.look_again(address, real_now() + _until_news(incident, notifier))


def _until_news(incident: Incident, notifier: Notifier) -> Instant:
    """Real time until the next look; at once where there may be news already."""
    update = notifier.desk.escalation.incident_update
    said = max(news.at for news in incident.news)
    return min(max(said + update - notifier.now(), MINUTE), update)
