"""Every vector that others computed is held by a channel's tests, or named with the reason why not."""

import json

from tests.contract.vectors import ROOT, VECTORS

NOT_OURS = {
    "note": "a remark",
    "rbm": "RCS for Business by Google's own API is no channel of the desk",
    "telegram_webapp_initdata": "the desk has no Telegram Mini App",
    "widget_identity": "the chat takes a JWT that ends, not a lasting HMAC of the customer's id",
}
NEGATIVE = "B-reserialised"
"""Names of signatures that another form of vector B's body would have: they must not match it."""


def used(call: str, name: str) -> bool:
    """Whether a channel's test asks for the vector."""
    tests = (path.read_text("utf-8") for path in (ROOT / "tests" / "contract").glob("test_*.py"))
    return any(f'{call}("{name}")' in text for text in tests)


def test_every_vector_is_held_or_named() -> None:
    if not VECTORS.is_dir():
        return
    others = json.loads((VECTORS / "other-channels.json").read_text("utf-8"))
    assert [name for name in others if name not in NOT_OURS and not used("other_vectors", name)] == []
    meta = [vector["name"] for vector in json.loads((VECTORS / "meta-and-x.json").read_text("utf-8"))]
    assert [name for name in meta if not name.startswith(NEGATIVE) and not used("meta_vectors", name)] == []
