"""What is printed on a terminal and was written by somebody else."""

import unicodedata


def printable(text: str) -> str:
    """Somebody else's words for a terminal: nothing in them steers it or turns the line around."""
    return "".join(character if _harmless(character) else "\ufffd" for character in text)


def _harmless(character: str) -> bool:
    if character in "\n\u200d":  # emoji are joined by the latter
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
