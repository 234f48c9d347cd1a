"""What a decision causes becomes rows (``services.caused``); here are the kicks that hurry them."""

from sportello.aws import queues
from sportello.aws.logging import logger
from sportello.aws.store import Commit
from sportello.domain import keys
from sportello.services.caused import CALL_KIND as CALL_KIND
from sportello.services.caused import HIDE_KIND as HIDE_KIND
from sportello.services.caused import LEASE as LEASE
from sportello.services.caused import REF as REF
from sportello.services.caused import Caused as Caused
from sportello.services.caused import caused as caused


def within(commit: Commit, found: Caused) -> Commit:
    """The commit with everything that a decision causes."""
    return commit._replace(
        after=found.thread,
        rows=found.rows,
        calls=found.calls,
        added=found.added,
        enquiries=found.enquiries,
        learnt=found.learnt,
        refs=found.refs,
    )


def kick(thread: str, effects: tuple[str, ...]) -> None:
    """Best effort, after the commit: a lost kick costs a minute, never the effect."""
    for key in effects:
        try:
            if key.endswith(f"~{CALL_KIND}"):
                queues.kick_escalation(thread, key)
            elif key.endswith(f"~{keys.CONSULT_KIND}"):
                queues.kick_consult(thread, key)
            elif key.endswith(f"~{keys.MEDIA_KIND}"):
                queues.kick_media(thread, key.removesuffix(f"~{keys.MEDIA_KIND}"))
            else:
                queues.kick_outbox(thread, key)
        except queues.BadId:
            raise
        except Exception as error:
            logger.warning("kick failed", extra={"thread_id": thread, "error": type(error).__name__})
