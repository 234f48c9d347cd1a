"""Signals: who chases, criticises, is angry, cannot wait."""

from sportello.domain.phrases import Meaning
from tests.eval import Row, Table
from tests.eval._words import Labelled, counts, lines, patterns

LANGUAGES = ("it", "en", "ru")
SIGNALS = ("chaser", "criticism", "anger", "urgent")


def found(line: Labelled) -> set[str]:
    meaning = Meaning(line.text, patterns(*LANGUAGES))
    shown = (meaning.chases, meaning.critical, meaning.angry, meaning.urgent)
    return {name for name, is_shown in zip(SIGNALS, shown, strict=True) if is_shown}


def table(half: str = "score") -> Table:
    scored = lines("signals", half)
    of = {
        name: counts((name in found(line), name in line.label.split()) for line in scored) for name in SIGNALS
    }
    precision = sum(one.precision for one in of.values()) / len(of)
    recall = sum(one.recall for one in of.values()) / len(of)
    rows = [
        Row("precision, mean of four", precision, 0.85, len(scored)),
        Row("recall, mean of four", recall, 0.85, len(scored)),
    ]
    for name, one in of.items():
        rows.append(Row(f"{name} precision", one.precision, None, one.right + one.wrong))
        rows.append(Row(f"{name} recall", one.recall, None, one.right + one.missed))
    for language in LANGUAGES:
        own = [line for line in scored if line.language == language]
        pairs = [(name in found(line), name in line.label.split()) for line in own for name in SIGNALS]
        rows.append(Row(f"all four, precision {language}", counts(pairs).precision, None, len(own)))
        rows.append(Row(f"all four, recall {language}", counts(pairs).recall, None, len(own)))
    notes = (f"{len(scored)} lines of a half, it, en, ru; a line may show several.",)
    return Table("signals", tuple(rows), notes)
