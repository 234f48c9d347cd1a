"""How many conversations wait for each person: counted over the inbox, kept for half a minute."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence

from sportello.aws import clients, items
from sportello.aws.environment import environment
from sportello.aws.threads import owing_threads
from sportello.domain.keys import THREAD_ROW

KEPT_SECONDS = 30.0
TEAM_MOST = 1_000
"""Threads of a team that are counted, those that have waited longest."""
BATCH = 100

_counted: dict[str, tuple[float, Counter[str]]] = {}


def waiting_for(person: str, teams: Sequence[str]) -> int:
    """Owing threads of these teams that the person has claimed."""
    return sum(_of_team(team)[person] for team in dict.fromkeys(teams))


def _of_team(team: str) -> Counter[str]:
    at, found = _counted.get(team, (float("-inf"), Counter()))
    if time.monotonic() - at > KEPT_SECONDS:
        found = Counter(_claimed([row["thread"] for row in owing_threads(team, limit=TEAM_MOST)]))
        _counted[team] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Count anew at the next question (tests)."""
    _counted.clear()


def _claimed(threads: Sequence[str]) -> Iterator[str]:
    """Whose each thread is, where it is anybody's; what the table is too busy to read is not counted."""
    table, holder = environment().table, items.stored_name("claimed_by")
    for start in range(0, len(threads), BATCH):
        wanted = {
            "Keys": [items.row_key(thread, THREAD_ROW) for thread in threads[start : start + BATCH]],
            "ProjectionExpression": "#holder",
            "ExpressionAttributeNames": {"#holder": holder},
        }
        answer = clients.dynamodb().batch_get_item(RequestItems={table: wanted})
        yield from (row[holder]["S"] for row in answer["Responses"][table] if holder in row)
