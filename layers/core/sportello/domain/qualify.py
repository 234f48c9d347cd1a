"""What whoever answers should know beforehand: fields found in messages, and the few questions for them.

At most two questions in a conversation, never for what the customer has told already. Whether this is
the moment to ask is decided elsewhere: never before, with or instead of a call for people.
"""

import re
from collections.abc import Collection
from functools import lru_cache

from sportello.domain.desk import Desk

READ = 2000
"""Characters of a message in which fields are looked for; patterns are checked for this length."""
KEPT = 64
"""Characters of a field."""


def learnt(desk: Desk, text: str, known: Collection[str]) -> dict[str, str]:
    """The fields that a message tells and that were not known, by name; the first place counts.

    Where the pattern has groups, the words of the first that was found are the field.
    """
    fields: dict[str, str] = {}
    for name, question in desk.questions.items():
        if name in known or not question.pattern:
            continue
        if found := _pattern(question.pattern).search(text, 0, READ):
            value = next(filter(None, found.groups()), found[0])
            fields[name] = value.strip()[:KEPT]
    return fields


def next_question(
    desk: Desk, *, topics: Collection[str], known: Collection[str], asked: Collection[str], language: str = ""
) -> str | None:
    """The field to ask for, the first of the file that fits; None: nothing is to be asked.

    Args:
        topics: of the message.
        known: fields that the customer has told in this conversation.
        asked: fields that were asked for in this conversation, answered or not.
        language: in which it would be asked; empty: the desk's first. Without a text in it nothing is asked.
    """
    if len(asked) >= desk.policy.questions_most:
        return None
    for name, question in desk.questions.items():
        fits = not question.topics or any(topic in question.topics for topic in topics)
        if fits and name not in known and name not in asked and text_of(desk, name, language):
            return name
    return None


def text_of(desk: Desk, field: str, language: str) -> str:
    """What is asked, in this language (empty: the desk's first); empty: nothing is."""
    question = desk.questions.get(field)
    return question.text.get(language or desk.default_language, "") if question else ""


@lru_cache(maxsize=64)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
