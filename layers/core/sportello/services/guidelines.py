"""The company's voice where somebody writes: loaded by the reply path, the sender and the command line.

``guidelines.json`` lies beside ``desk.json``; webhooks never read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from pydantic import TypeAdapter, ValidationError

from sportello.domain import personal_data
from sportello.domain.desk import Desk
from sportello.domain.guidelines import Guidelines, Remark, lint
from sportello.services import desk as desk_seam

FILE = "guidelines.json"
_ALL = TypeAdapter(dict[str, Guidelines])

_given: Mapping[str, Guidelines] | None = None


def current_guidelines() -> Mapping[str, Guidelines]:
    """By language.

    Raises:
        NoDesk: the file is missing or cannot be used.
    """
    if _given is not None:
        return _given
    return {} if desk_seam.given() else _load()


def use(guidelines: Mapping[str, Guidelines] | None) -> None:
    """Take these instead of the file (command line, simulator, tests); None: the file again."""
    global _given
    _given = guidelines


@cache
def _load() -> dict[str, Guidelines]:
    path = desk_seam.FOLDER / FILE
    remedy = f"Write it with: python -m infra.bundle templates {desk_seam.FOLDER}"
    try:
        return _ALL.validate_json(path.read_bytes())
    except OSError as error:
        raise desk_seam.NoDesk(f"{path} cannot be read ({error.strerror}). {remedy}") from None
    except ValidationError as error:
        raise desk_seam.NoDesk(f"{path} cannot be used: {error}. {remedy}") from None


def guidelines_of(language: str, desk: Desk) -> Guidelines:
    """Of a thread's language, else of the desk's own; without any, what holds where no file says anything."""
    known = current_guidelines()
    code = language.lower().replace("_", "-").partition("-")[0]
    for wanted in (code, desk.default_language):
        if wanted in known:
            return known[wanted]
    return Guidelines(language=code or desk.default_language)


def order_patterns(desk: Desk) -> tuple[str, ...]:
    return (desk.hook.order_pattern,) if desk.hook.order_pattern else ()


def remarks(
    text: str,
    desk: Desk,
    *,
    language: str,
    channel: str,
    account: str = "",
    public: bool = False,
    limit: int | None = None,
) -> tuple[Remark, ...]:
    """What the guidelines say of a text that a person is about to send.

    Args:
        account: ours, from which it is said: it decides between the rules of official and care.
        limit: characters that the channel takes.
    """
    served = desk.account(channel, account) or desk.channels.get(channel)
    return lint(
        text,
        guidelines_of(language, desk),
        channel=channel,
        public=public,
        role=served.role if served else "care",
        formal=desk.formal,
        order_patterns=order_patterns(desk),
        limit=limit,
    )


def forbidden(remarks: Sequence[Remark], *, despite: bool = False) -> tuple[Remark, ...]:
    """The remarks that keep a text from being sent, also ``despite`` a person's confirmation."""
    return tuple(
        remark for remark in remarks if remark.level == "block" and not (despite and remark.may_override)
    )


def safe_in_public(text: str, desk: Desk) -> bool:
    """Whether an automatic text may stand where everybody reads it: nobody's data but the company's own."""
    hits = personal_data.found(text, order_patterns(desk))
    if not hits:
        return True
    ours = {contact for one in current_guidelines().values() for contact in one.ours.contacts}
    return not personal_data.of_others(text, hits, ours)
