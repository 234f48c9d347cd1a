"""A Slack incoming webhook: notify only, bound to one channel.

Customers' words go into ``plain_text`` objects, where Slack reads no mention and no link, and are
escaped in ``text`` (docs.slack.dev, formatting: exactly ``& < >``). Limits: Block Kit reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sportello.channels.http import Http, NoAnswer, NotConnected

HEADER_LIMIT = 150
SECTION_LIMIT = 3000
BUTTON_LIMIT = 75
ITEMS_MOST = 40
"""Of the 50 blocks of a message."""
TEXT_LIMIT = 4000


class Told(NamedTuple):
    """``problem`` is empty when told; ``final`` when trying again will never help."""

    problem: str = ""
    final: bool = False


def tell(url: str, body: Mapping[str, Any], http: Http) -> Told:
    """Post one notice (``body``) to the webhook."""
    try:
        reply = http.request("POST", url, json_body=body)
    except (NotConnected, NoAnswer) as error:
        return Told(type(error).__name__)
    if reply.status == 200:
        return Told()
    code = reply.body[:60].decode("ascii", "replace").strip() or "no_reason"
    return Told(f"{reply.status} {code}", final=400 <= reply.status < 500 and reply.status != 429)


def body(
    title: str,
    lines: Sequence[tuple[str, str]],
    answer: str,
    *,
    items: Sequence[tuple[str, str]] = (),
    foot: str = "",
    take: str = "",
    link: str = "",
) -> dict[str, Any]:
    """The message: ``text`` for notifications and screen readers, blocks for the channel.

    Args:
        items: conversations that are told together, each with the address at which it is taken.
        foot: stands below them.
        take: what the buttons say; none where there is no address.
        link: the address at which the whole is taken.
    """
    said = "\n".join(f"{label}: {value}" for label, value in lines)
    listed = "\n".join(text for text, _ in items)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(title, HEADER_LIMIT)}]
    blocks += [_section(said)] if said else []
    for number, (text, address) in enumerate(items[:ITEMS_MOST]):
        blocks.append(_section(text) | _beside(take, address, number))
    blocks += [_section(foot)] if foot else []
    if link:
        blocks.append({"type": "actions", "elements": [_button(take, link, "take") | {"style": "primary"}]})
    blocks += [_section(answer)] if answer else []
    return {
        "text": escaped("\n".join(part for part in (title, said, listed) if part), TEXT_LIMIT),
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _plain(text, SECTION_LIMIT)}


def _beside(take: str, link: str, number: int) -> dict[str, Any]:
    return {"accessory": _button(take, link, f"take-{number}")} if link else {}


def _button(title: str, link: str, name: str) -> dict[str, Any]:
    """It opens a page; nothing is sent to us, so the webhook's app needs no interactivity."""
    return {"type": "button", "text": _plain(title, BUTTON_LIMIT), "url": link, "action_id": name}


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
