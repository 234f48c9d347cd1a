"""One scenario twice: in the simulator, and through the Lambdas on the engine, with the clock moved along.

What was decided is read from the table: the reasons on each message's row, each automatic reply with its
words, each call, each answer from outside, and at last the thread itself. The engine's clock runs on
between two steps, so times may be a little later there; everything else has to be equal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.simulate.entry import Entry
from infra.simulate.lines import Acts, Scenario, Step, Writes
from infra.simulate.world import World, name_of
from infra.world.meta_graph import MetaStandIn
from sportello.aws import clock, items, store
from sportello.aws.environment import environment
from sportello.domain import keys
from sportello.domain.decision import Call, Hide, Say
from sportello.domain.events import Consulted, Inbound, Tick
from sportello.domain.message import ENDED, Escalation, Message
from sportello.domain.model import MINUTE, SECOND, Instant
from sportello.domain.thread import Thread
from sportello.services import reply
from sportello.services.reply import NotAllowed
from tests.e2e.stage import Stage, wait_for

LATER = 2 * MINUTE
"""By how much the engine may be later."""
SOONER = 2 * SECOND
"""The outside is asked at once there; the simulator lets it take a second."""
LOOKS_MOST = 5
TIMES = frozenset(
    {
        "owed_since",
        "told_until",
        "paged",
        "promised",
        "consulting",
        "person_until",
        "due",
        "created",
        "window",
    }
)
OWN = frozenset({"id", "rev", "connection", "to", "name", "last_in", "escalation", "aliases", "hold"})
"""Fields of a thread that hold keys or addresses; ``rev`` counts looks that find nothing to do as well."""


@dataclass(frozen=True)
class Decided:
    """What became of one conversation; each list in the order of time."""

    heard: list[tuple[str, ...]]
    """Reasons of each message of the customer."""
    acted: list[tuple[str, ...]]
    """Reasons of what people did; of what was refused, the code."""
    said: list[dict[str, Any]]
    hidden: list[tuple[str, str]]
    """Why something public was taken out of sight, and what was wrong with that."""
    called: list[tuple[str, int, bool, bool]]
    """Reason, level, urgent, digest."""
    answered: list[tuple[str, ...]]
    """Reasons of what was made of an answer from outside."""
    thread: Thread


# --- in the simulator -------------------------------------------------------------------------


def by_simulator(world: World, entries: list[Entry]) -> dict[str, Decided]:
    found = {name: Decided([], [], [], [], [], [], talk.thread) for name, talk in world.talks.items()}
    for entry in entries:
        decided = found[entry.thread]
        reasons = tuple(map(str, entry.decision.reasons)) or tuple(str(told.reason) for told in entry.told)
        if isinstance(entry.event, Inbound):
            decided.heard.append(reasons)
        elif isinstance(entry.event, Consulted):
            decided.answered.append(reasons)
        elif not isinstance(entry.event, Tick):
            decided.acted.append(reasons)
        decided.said.extend(_said(entry))
        for effect in entry.decision.effects:
            if isinstance(effect, Hide):
                decided.hidden.append((str(effect.why), ""))
            if isinstance(effect, Call):
                decided.called.extend(
                    (why, effect.level, effect.urgent, effect.digest) for why in effect.whys
                )
    return found


def _said(entry: Entry) -> Iterator[dict[str, Any]]:
    told = iter([one for one in entry.told if one.kind in ("reply", "ask", "private")])
    refused = {
        one.more["name"]: one.reason for one in entry.told if one.kind == "cancel" and "name" in one.more
    }
    for effect in entry.decision.effects:
        if isinstance(effect, Say):
            problem = refused.get(effect.text, "")
            yield {
                "at": entry.at,
                "say": effect.text,
                "why": str(effect.why),
                "act": effect.act,
                "language": effect.language,
                "until": effect.until,
                "promise": effect.promise,
                "text": "" if problem else next(told).more["text"],
                "problem": str(problem),
            }


# --- through the Lambdas ----------------------------------------------------------------------


class Engine:
    """Plays a scenario on a stage; ``ids`` are the threads of its conversations."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self.stage = stage
        self.refused: dict[str, list[tuple[str, ...]]] = {}
        self._steps: dict[int, Step] = {step.line: step for step in scenario.steps}
        writers = {name_of(does): does for step in scenario.steps if isinstance(does := step.does, Writes)}
        self.ids = {name: self._thread_id(line) for name, line in writers.items()}

    def _thread_id(self, line: Writes) -> str:
        account = self.account(line.channel)
        return keys.thread_id(environment().id_salt, line.channel, account.id, self._customer_id(line))

    def _customer_id(self, line: Writes) -> str:
        """By which the channel knows the writer; in public together with the post."""
        platform = self.stage.desk.world.channels[line.channel]
        person = self.stage.desk.world.state.person(line.sender)
        if line.public:
            assert isinstance(platform, MetaStandIn)
            post = platform.comments.default_post(self.account(line.channel))
            return f"{post}:{platform.author(person)}"
        return person.bsuid if line.channel == "whatsapp" else platform.address(person)

    def account(self, channel: str) -> Any:
        return self.stage.desk.accounts[channel]

    def play(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.line:
                self._step(entry, self._steps[entry.line].does)
            elif isinstance(entry.event, Tick):
                self._look(entry)

    def _step(self, entry: Entry, does: Writes | Acts) -> None:
        self._clock(entry.at)
        if isinstance(does, Writes):
            said = self.stage.desk.client.say(
                does.channel,
                does.text or "",
                does.sender,
                at=entry.at,
                language=does.language or "it",
                **_kind(does),
            )
            assert set(said.statuses) == {200}, said
        else:
            self._act(entry, does)
        self._settle(entry.thread)

    def _act(self, entry: Entry, act: Acts) -> None:
        person, thread = self.stage.person(act.agent), self.ids[entry.thread]
        try:
            if act.reply is not None:
                reply.reply(person, thread, act.reply, promise=act.promise)
            elif act.language is not None:
                reply.speak(person, thread, act.language)
            elif act.wanted is not None:
                reply.want(person, thread)
            elif "resolve" in act.model_fields_set:
                reply.resolve(person, thread, act.resolve if isinstance(act.resolve, str) else "")
            else:
                reply.claim(person, thread)
        except NotAllowed as refused:
            self.refused.setdefault(entry.thread, []).append((str(refused.code),))

    def _look(self, entry: Entry) -> None:
        """The sweeper comes when the thread is due, which may be a little later than in the simulator.

        What fell due at the very moment of closing there falls due a moment after the opening here.
        """
        for _ in range(LOOKS_MOST):
            thread = store.read_thread(self.ids[entry.thread], consistent=True).thread
            if thread is None or thread.due is None or thread.due > entry.at + LATER:
                return
            self._clock(max(entry.at, thread.due))
            self.stage.sweep()
            self._settle(entry.thread)
        raise AssertionError(f"{entry.thread} is looked at for ever")

    def _clock(self, at: Instant) -> None:
        offset = at - clock.real_now()
        clock.set_offset(offset)
        self.stage.desk.client.clock(offset)

    def _settle(self, name: str) -> None:
        """Until all that was caused is sent, told and answered."""
        wait_for(
            lambda: not self._open(self.ids[name]),
            f"{name} comes to rest",
            20.0,
            lambda: str(self._open(self.ids[name])),
        )

    def _open(self, thread: str) -> list[str]:
        return [row["SK"]["S"] for row in self._rows(thread) if _is_open(row)]

    def _rows(self, thread: str) -> list[dict[str, Any]]:
        answer = self.stage.desk.deployed.client("dynamodb").query(
            TableName=self.stage.desk.deployed.outputs["TableName"],
            KeyConditionExpression="PK = :pk AND begins_with(SK, :rows)",
            ExpressionAttributeValues={":pk": {"S": keys.partition(thread)}, ":rows": {"S": "M#"}},
            ConsistentRead=True,
        )
        found: list[dict[str, Any]] = answer["Items"]
        return found

    def decided(self) -> dict[str, Decided]:
        return {name: self._decided(name, thread) for name, thread in self.ids.items()}

    def _decided(self, name: str, id: str) -> Decided:
        rows = self._rows(id)
        messages = sorted(
            (items.message_of(row) for row in rows if "whys" not in row and "asks" not in row),
            key=lambda row: (row.arrived, row.key),
        )
        calls = [items.escalation_of(row) for row in rows if "whys" in row]
        enquiries = sorted(
            (items.enquiry_of(row) for row in rows if "asks" in row), key=lambda row: row.done or 0
        )
        thread = store.read_thread(id, consistent=True).thread
        assert thread is not None, f"nobody wrote as {name}"
        people = [row for row in messages if row.author == "person"]
        spoken = [row for row in messages if row.author == "automatic"]
        return Decided(
            [row.why for row in messages if row.direction == "in"],
            [*(row.why for row in people), *self.refused.get(name, ())],
            [_sent(row) for row in spoken if row.kind != "hide"],
            [(row.why[0], row.problem) for row in spoken if row.kind == "hide"],
            list(_whys(calls)),
            [row.why for row in enquiries],
            thread,
        )


def _kind(does: Writes) -> dict[str, Any]:
    if does.public:
        return {"kind": "comment"}
    if does.reaction is not None:
        return {"kind": "reaction", "text": does.reaction}
    if does.media:
        return {"kind": "media", "media": does.media[0].kind}
    return {}


def _is_open(row: Mapping[str, Any]) -> bool:
    """Calls are decided once they stand there; whom they reach when is not ``decide``'s."""
    if "asks" in row:
        return "done" not in row
    return "state" in row and row["state"]["S"] not in ENDED


def _sent(row: Message) -> dict[str, Any]:
    return {
        "at": row.time,
        "say": row.say,
        "why": row.why[0],
        "act": row.act,
        "language": row.language,
        "until": row.until,
        "promise": row.promise,
        "text": row.text,
        "problem": row.problem,
    }


def _whys(calls: list[Escalation]) -> Iterator[tuple[str, int, bool, bool]]:
    whys = [why for call in calls for why in call.whys]
    for why in sorted(whys, key=lambda why: why.at):
        yield (why.why, why.level, why.urgent, why.digest)


# --- compared ---------------------------------------------------------------------------------


def assert_alike(name: str, simulated: Decided, engine: Decided) -> None:
    for part in ("heard", "hidden", "called", "answered"):
        ours, theirs = getattr(simulated, part), getattr(engine, part)
        assert ours == theirs, f"{name}: {part}: simulated {ours}, on the engine {theirs}"
    assert sorted(simulated.acted) == sorted(engine.acted), name
    assert len(simulated.said) == len(engine.said), (name, simulated.said, engine.said)
    for ours, theirs in zip(simulated.said, engine.said, strict=True):
        assert ours.keys() == theirs.keys()
        for field, value in ours.items():
            if field in ("at", "promise"):
                assert_about(value, theirs[field], (name, ours, theirs))
            else:
                assert value == theirs[field], (name, field, ours, theirs)
    for field in set(Thread.model_fields) - OWN:
        ours, theirs = getattr(simulated.thread, field), getattr(engine.thread, field)
        if field in TIMES:
            assert_about(ours, theirs, (name, field))
        elif field != "account":
            assert ours == theirs, (name, field, ours, theirs)


def assert_about(ours: Instant | None, theirs: Instant | None, where: object) -> None:
    assert (ours is None) == (theirs is None), where
    if ours is not None and theirs is not None:
        assert -SOONER <= theirs - ours <= LATER, (where, theirs - ours)
