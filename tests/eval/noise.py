"""Noise: how often a message that leaves the queue is noise indeed. One wrong is a customer unheard."""

from sportello.domain.noise import links_in, noise_of
from sportello.domain.phrases import Meaning
from tests.eval import Row, Table
from tests.eval._words import Labelled, counts, lines, patterns

LANGUAGES = ("it", "en", "ru")
KINDS = ("spam", "phishing", "newsletter")


def found(line: Labelled) -> str:
    meaning = Meaning(line.text, patterns(*LANGUAGES))
    return noise_of(line.text, meaning, answered_before=False, links=links_in(line.text))


def table(half: str = "score") -> Table:
    scored = lines("noise", half)
    of = counts((found(line) != "", line.label != "help") for line in scored)
    rows = [
        Row("precision", of.precision, 1.0, of.right + of.wrong),
        Row("recall", of.recall, None, of.right + of.missed),
    ]
    for kind in KINDS:
        one = counts((found(line) == kind, line.label == kind) for line in scored)
        rows.append(Row(f"{kind} precision", one.precision, None, one.right + one.wrong))
        rows.append(Row(f"{kind} recall", one.recall, None, one.right + one.missed))
    notes = (
        f"{len(scored)} lines of a half; among them people who ask whether such a message is ours, complain",
        "of newsletters, send links, or use the words in another sense. What is missed waits for a person.",
    )
    return Table("noise", tuple(rows), notes)
