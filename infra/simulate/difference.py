"""How two decisions differ, in words."""

from sportello.domain.decision import Call, Consult, Decision, Hide, Say

_SAYS = {
    "closed": "the customer would hear when the desk opens",
    "closing": "the customer would hear at closing when the desk opens",
    "on_it": "the customer would hear that it is seen to",
    "person_asked_open": "the customer would hear that a person comes",
    "person_asked_closed": "the customer would hear when a person comes",
    "chased": "the customer would hear that the answer is on its way",
    "sorry": "the desk would say that it is sorry",
    "faq": "the answer to the frequent question would be said",
    "faq_yes": "the desk would be glad that it helped",
    "faq_no": "the customer would hear that a person follows",
    "order": "the state of the order would be told",
    "order_proof": "the customer would be asked to prove whose order it is",
    "ask": "a detail would be asked for",
    "to_care": "the customer would be shown the way to the care account",
    "public_ack": "the desk would answer shortly in public",
    "public_delete": "the customer would be asked to delete personal data",
    "private_open": "the conversation would go on in private",
}


def difference(actual: Decision, other: Decision) -> str:
    """What would be so that is not, and what would not be."""
    parts: list[str] = []
    if other.refused != actual.refused:
        parts.append("it would be refused" if other.refused else "it would be done")
    if other.thread.owes != actual.thread.owes:
        parts.append(
            f"an answer would be owed ({other.reasons[0]})" if other.thread.owes else _nothing_owed(other)
        )
    said, would = _said(actual), _said(other)
    parts += [_SAYS[text] for text in would if text not in said]
    if said and not would:
        parts.append("nothing would be said")
    called, would_call = _called(actual), _called(other)
    if would_call != called:
        parts.append(
            f"people would be called ({', '.join(would_call)})" if would_call else "nobody would be called"
        )
    if _hides(actual) != _hides(other):
        parts.append("the message would be hidden" if _hides(other) else "the message would stay in sight")
    if not parts:
        parts.append(_rest(actual, other))
    return ", ".join(parts)


def _nothing_owed(other: Decision) -> str:
    return f"nothing would be owed ({other.reasons[-1]})"


def _said(decision: Decision) -> list[str]:
    return [effect.text for effect in decision.effects if isinstance(effect, Say)]


def _called(decision: Decision) -> list[str]:
    return [why for effect in decision.effects if isinstance(effect, Call) for why in effect.whys]


def _hides(decision: Decision) -> bool:
    return any(isinstance(effect, Hide) for effect in decision.effects)


def _rest(actual: Decision, other: Decision) -> str:
    if any(isinstance(effect, Consult) for effect in other.effects):
        return "a frequent question would be looked for"
    if any(isinstance(effect, Consult) for effect in actual.effects):
        return "no frequent question would be looked for"
    return f"it would go another way ({', '.join(other.reasons)})"
