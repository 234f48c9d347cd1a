"""A Slack incoming webhook: notify only, bound to one channel.

Customers' words go into ``plain_text`` objects, where Slack reads no mention and no link, and are
escaped in ``text`` (docs.slack.dev, formatting: exactly ``& < >``). Limits: Block Kit reference.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sportello.channels.http import Http, NoAnswer, NotConnected

HEADER_LIMIT = 150
SECTION_LIMIT = 3000
TEXT_LIMIT = 4000


class Told(NamedTuple):
    """``problem`` is empty when told; ``final`` when trying again will never help."""

    problem: str = ""
    final: bool = False


def tell(url: str, title: str, lines: Sequence[tuple[str, str]], answer: str, http: Http) -> Told:
    """Post one notice to the webhook."""
    try:
        reply = http.request("POST", url, json_body=body(title, lines, answer))
    except (NotConnected, NoAnswer) as error:
        return Told(type(error).__name__)
    if reply.status == 200:
        return Told()
    code = reply.body[:60].decode("ascii", "replace").strip() or "no_reason"
    return Told(f"{reply.status} {code}", final=400 <= reply.status < 500 and reply.status != 429)


def body(title: str, lines: Sequence[tuple[str, str]], answer: str) -> dict[str, Any]:
    """The message: ``text`` for notifications and screen readers, blocks for the channel."""
    said = "\n".join(f"{label}: {value}" for label, value in lines)
    return {
        "text": escaped(f"{title}\n{said}", TEXT_LIMIT),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": _plain(title, HEADER_LIMIT)},
            {"type": "section", "text": _plain(said, SECTION_LIMIT)},
            {"type": "section", "text": _plain(answer, SECTION_LIMIT)},
        ],
    }


def escaped(text: str, limit: int) -> str:
    """Text in which Slack finds no markup; cut before escaping, so that no entity is split."""
    cut = text[:limit]
    while True:
        safe = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if len(safe) <= limit:
            return safe
        cut = cut[: len(cut) - max(1, (len(safe) - limit) // 5)]


def _plain(text: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:limit] or " ", "emoji": False}
