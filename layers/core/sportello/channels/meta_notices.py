"""All that is not a message, an edit or a receipt: taps, links, reactions, forms, notices of the platform."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sportello.channels.graph import derived, instant, label, needed, objects, record, word
from sportello.channels.meta_parties import Where, notice
from sportello.domain.events import Connected, Ignored, Kind, PlatformEvent

Json = Mapping[str, Any]
Reader = Callable[[Json, Where], Sequence[PlatformEvent]]

_NOTICES = (
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "response_feedback",
    "messaging_feedback",
)


def _postback(event: Json, where: Where) -> Sequence[PlatformEvent]:
    """A tap on a button of the menu, of a template, an ice breaker, or the one that begins."""
    body = record(event, "postback")
    payload, referral = word(body, "payload"), record(body, "referral")
    begins = bool(payload) and payload == (where.settings.get("get_started") or "GET_STARTED")
    return [
        notice(
            event,
            where,
            Kind.START if begins else Kind.BUTTON,
            text=word(body, "title"),
            payload=word(referral, "ref") or payload if begins else payload,
            ref=word(referral, "ref"),
            detail="get_started" if begins else "",
            id=word(body, "mid"),
            keep=bool(referral),
        )
    ]


def _referral(event: Json, where: Where) -> Sequence[PlatformEvent]:
    """The conversation was opened from a link or an ad, nothing is asked yet; a lead form has answers."""
    body = record(event, "referral")
    answers = [
        f"{word(line, 'question')}: {word(line, 'answer')}" for line in objects(record(event, "lead"), "data")
    ]
    kind = Kind.SERVICE if answers else Kind.START
    detail = label(word(body, "type").lower() or "referral") if answers else "referral"
    ref = word(body, "ref")
    return [notice(event, where, kind, detail=detail, text="\n".join(answers), payload=ref, ref=ref)]


def _reaction(event: Json, where: Where) -> Sequence[PlatformEvent]:
    body = record(event, "reaction")
    taken_back = word(body, "action") == "unreact"
    emoji = "" if taken_back else word(body, "emoji") or word(body, "reaction")
    return [notice(event, where, Kind.REACTION, text=emoji, quote=needed(body, "mid"), keep=False)]


def _order(event: Json, where: Where) -> Sequence[PlatformEvent]:
    return [notice(event, where, Kind.ORDER, text=word(record(event, "order"), "note"))]


def _form(event: Json, where: Where) -> Sequence[PlatformEvent]:
    screens = objects(record(event, "messaging_customer_information"), "screens")
    lines = [
        f"{word(line, 'key')}: {word(line, 'value')}"
        for screen in screens
        for line in objects(screen, "responses")
    ]
    return [notice(event, where, Kind.BUTTON, text="\n".join(lines), payload="customer_information")]


def _optin(event: Json, where: Where) -> Sequence[PlatformEvent]:
    body = record(event, "optin")
    detail = " ".join(["optin", *filter(None, [label(word(body, "type")) if word(body, "type") else ""])])
    ref, title = word(body, "ref"), word(body, "title")
    payload = ref or word(body, "payload")
    return [notice(event, where, Kind.SERVICE, detail=detail, text=title, payload=payload, ref=ref)]


def _service(name: str) -> Reader:
    return lambda event, where: [notice(event, where, Kind.SERVICE, detail=name)]


def _ignored(name: str) -> Reader:
    return lambda event, where: [Ignored(account=where.account, why=name)]


def _policy(name: str) -> Reader:
    """Meta blocked the account, or lifts it; a warning changes nothing."""

    def read(event: Json, where: Where) -> Sequence[PlatformEvent]:
        action = word(record(event, name), "action")
        if action not in ("block", "unblock") or where.test:
            return [Ignored(account=where.account, why=f"policy_enforcement {label(action)}")]
        return [
            Connected(
                account=where.account,
                id=derived(event),
                time=instant(event, "timestamp") or where.time,
                enabled=action == "unblock",
                detail=f"policy_enforcement {action}",
            )
        ]

    return read


READERS: dict[str, Reader] = {
    "postback": _postback,
    "reaction": _reaction,
    "order": _order,
    "messaging_customer_information": _form,
    "referral": _referral,
    "optin": _optin,
    **{name: _service(name) for name in _NOTICES},
    **{name: _ignored(name) for name in ("app_roles", "account_linking")},
    **{name: _policy(name) for name in ("policy_enforcement", "policy-enforcement")},
}
