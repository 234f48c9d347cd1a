"""Courtesy: how often a message that is taken for thanks alone owes no answer indeed."""

from sportello.domain.phrases import Meaning
from tests.eval import Row, Table
from tests.eval._words import Labelled, counts, lines, patterns

LANGUAGES = ("it", "en", "ru")


def found(line: Labelled) -> bool:
    """As after an answer of ours, where everything courteous counts."""
    return Meaning(line.text, patterns(*LANGUAGES)).owes_nothing(after_answer=True)


def table(half: str = "score") -> Table:
    scored = lines("courtesy", half)
    all_of = counts((found(line), line.label == "courtesy") for line in scored)
    rows = [
        Row("precision", all_of.precision, 0.98, all_of.right + all_of.wrong),
        Row("recall", all_of.recall, None, all_of.right + all_of.missed),
    ]
    for language in LANGUAGES:
        of = counts((found(line), line.label == "courtesy") for line in scored if line.language == language)
        rows.append(Row(f"precision {language}", of.precision, None, of.right + of.wrong))
        rows.append(Row(f"recall {language}", of.recall, None, of.right + of.missed))
    notes = (
        f"{len(scored)} lines of a half, it, en, ru: sarcasm, thanks with a question, a yes or no,",
        "emoji only, no punctuation, typos. What is missed waits for a person: recall costs a glance.",
    )
    return Table("courtesy", tuple(rows), notes)
