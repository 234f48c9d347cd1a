"""Language: of short messages in eight languages, how many are told, and told rightly."""

from sportello.domain.language import language_of
from tests.eval import Row, Table
from tests.eval._words import Labelled, lines

LANGUAGES = ("it", "en", "es", "fr", "de", "pt", "ru", "zh")
NONE = "-"
"""Too short to tell, or a language that the desk does not speak."""


def found(line: Labelled) -> str:
    return language_of(line.text, LANGUAGES) or NONE


def table(half: str = "score") -> Table:
    scored = lines("language", half)
    spoken = [line for line in scored if line.label != NONE]
    told = [line for line in scored if found(line) != NONE]
    right = sum(found(line) == line.label for line in told)
    rows = [
        Row("right, of those told", right / len(told), None, len(told)),
        Row("told rightly, of those in a language of the desk", right / len(spoken), None, len(spoken)),
    ]
    for language in LANGUAGES:
        own = [line for line in spoken if line.label == language]
        share = sum(found(line) == language for line in own) / len(own)
        rows.append(Row(f"told rightly {language}", share, None, len(own)))
    notes = (
        f"{len(scored)} short messages of a half, with typos, product names, chat spelling, other",
        "languages. What is not told takes the desk's first language.",
    )
    return Table("language", tuple(rows), notes)
