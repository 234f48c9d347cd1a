"""What the words of one message mean, by the care lead's lists (``templates/phrases/``).

They count in every conversation, whatever its language. One pass over the words finds all of them.
``docs/words.md`` explains the lists to who edits them.
"""

from collections.abc import Sequence

from sportello.domain import emoji
from sportello.domain.language import is_common
from sportello.domain.patterns import TOPIC, Found, Patterns, Phrases
from sportello.domain.words import has_han, plain

__all__ = ["THANKS_WORDS", "Meaning", "Patterns", "Phrases", "plain"]

THANKS_WORDS = 14
"""A longer message is more than thanks."""
SHOUT_WORDS, SHOUT_LETTERS = 3, 12
"""Fewer capitals than this are an abbreviation or a name."""

_NOISE = frozenset({"spam", "phishing", "newsletter"})
_GIVE_WAY = frozenset({"thanks", "courtesy", "greeting", "alongside", "yes", "no", "question"})
"""They do not count inside a longer phrase: "thanks" in "thanks for nothing"."""
_CLOSING = frozenset({"thanks", "courtesy", "greeting", "alongside"})
_TROUBLED = frozenset(emoji.SAD + emoji.DISLIKE + emoji.ANGRY + emoji.WRY + emoji.ASKING + emoji.WAITING)


class Meaning:
    """What the words of one message mean; every language of the desk counts, whatever the thread's."""

    __slots__ = (
        "angry", "asks", "asks_person", "chases", "critical", "emoji_only", "greeting", "no", "noise_signs",
        "said_thanks", "thanks", "topics", "urgent", "words", "yes",
    )  # fmt: skip

    def __init__(self, text: str, patterns: Patterns) -> None:
        felt = emoji.feelings(text)
        words = patterns.words(emoji.without_faces(text) if felt else text) if text else []
        found = _counted(patterns.found(words))
        kinds = {phrase.kind for phrase in found}
        asks = "?" in text or "？" in text or emoji.ASKING in felt
        if asks:
            kinds |= _alone(words, found, kinds)
        self.asks_person = "asks_person" in kinds
        self.urgent = "urgent" in kinds
        self.emoji_only = "" if words or not felt else emoji.only(text)
        """``positive`` or ``negative``: a message of nothing but such emoji."""
        self.asks = asks or "question" in kinds
        """A question or a request."""
        self.chases = "chaser" in kinds or (not words and (asks or emoji.WAITING in felt))
        """Asks again for what was not answered yet."""
        self.critical = "criticism" in kinds or emoji.DISLIKE in felt
        heated = self.critical or self.chases or emoji.SAD in felt
        self.angry = (
            "anger" in kinds
            or emoji.ANGRY in felt
            or (heated and text.count("!") > 2)
            or (_shouts(text, words) and kinds.isdisjoint(_CLOSING))
        )
        self.topics = _topics(found)
        """Names of the care lead's topics, the one with most words first."""
        self.noise_signs = _signs(words, found) if kinds & _NOISE else {}
        """How many different phrases of each list of noise; see ``noise.noise_of``."""
        troubled = not _TROUBLED.isdisjoint(felt)
        calm = not (asks or troubled or self.urgent or self.asks_person or self.angry)
        short = calm and len(words) <= THANKS_WORDS
        self.thanks = self.emoji_only == "positive" or (
            short
            and ("thanks" in kinds or "courtesy" in kinds)
            and not (self.asks or self.chases or self.critical)
            and _only_closing(text, words, found, patterns)
        )
        """Courtesy and nothing else, if something of ours came before it; see ``owes_nothing``."""
        self.said_thanks = self.thanks and "thanks" in kinds
        """In words of thanks, which ask for nothing even where nothing of ours came before."""
        self.yes = short and "yes" in kinds and "no" not in kinds and not _rest(words, found, _YES)
        """A short answer that says yes, and nothing else."""
        self.no = short and "no" in kinds and "yes" not in kinds and not _rest(words, found, _NO)
        self.words = plain(text).split() if has_han(text) else words
        """As phrases are compared: lower case, no accents."""
        self.greeting = "greeting" in kinds and not _rest(words, found, _GREETING)
        """A greeting and nothing else: what is wanted is still to come."""

    def owes_nothing(self, after_answer: bool) -> bool:
        """Whether the message is courtesy that asks for no answer.

        Words of thanks never ask for one. All else that closes a conversation ("ok", "perfect", a
        thumb, a heart) does so only where something of ours came before (``after_answer``): alone it
        is somebody's way of asking for help. The same holds for a lone sticker, which has no words.
        """
        return self.thanks and (after_answer or self.said_thanks)


_YES = _CLOSING | {"yes"}
_NO = _CLOSING | {"no", "criticism"}
_GREETING = frozenset({"greeting", "alongside"})


def _alone(words: Sequence[str], found: Sequence[Found], kinds: set[str]) -> set[str]:
    """Lists of which a phrase written with ``?`` is the whole question: "news?"."""
    whole = {kind for kind in kinds if kind.endswith("?")}
    return {kind[:-1] for kind in whole if not _rest(words, found, _GREETING | {kind})}


def _counted(found: list[Found]) -> list[Found]:
    """Without what lies inside a harmless phrase, and courtesies inside any longer one."""
    if len(found) < 2:
        return found
    kept: list[Found] = []
    harmless_to = 0
    widest_from, widest_to = 0, 0
    for phrase in found:
        start, end = phrase.start, phrase.start + phrase.length
        if phrase.kind == "harmless":
            harmless_to = max(harmless_to, end)
        inside = end <= widest_to and (widest_from < start or end < widest_to)
        if end > harmless_to and not (inside and phrase.kind in _GIVE_WAY):
            kept.append(phrase)
        if end > widest_to and not phrase.kind.startswith(TOPIC) and phrase.kind[-1] != "?":
            widest_from, widest_to = start, end
    return kept


def _shouts(text: str, words: Sequence[str]) -> bool:
    return text.isupper() and len(words) >= SHOUT_WORDS and sum(map(len, words)) >= SHOUT_LETTERS


def _topics(found: Sequence[Found]) -> tuple[str, ...]:
    weights: dict[str, int] = {}
    for phrase in found:
        if phrase.kind.startswith(TOPIC):
            weights[phrase.kind] = weights.get(phrase.kind, 0) + phrase.length
    heaviest = sorted(weights, key=lambda kind: -weights[kind]) if weights else ()
    return tuple([kind.removeprefix(TOPIC) for kind in heaviest])


def _signs(words: Sequence[str], found: Sequence[Found]) -> dict[str, int]:
    different = {
        (phrase.kind, *words[phrase.start : phrase.start + phrase.length])
        for phrase in found
        if phrase.kind in _NOISE or phrase.kind == "about_noise"
    }
    signs: dict[str, int] = {}
    for kind, *_ in different:
        signs[kind] = signs.get(kind, 0) + 1
    return signs


def _rest(words: Sequence[str], found: Sequence[Found], kinds: frozenset[str]) -> list[int]:
    """Numbers of the words that stand in no phrase of these lists."""
    rest = set(range(len(words)))
    for phrase in found:
        if phrase.kind in kinds:
            rest.difference_update(range(phrase.start, phrase.start + phrase.length))
    return sorted(rest)


def _only_closing(text: str, words: Sequence[str], found: Sequence[Found], patterns: Patterns) -> bool:
    """Thanks and what goes with it; after thanks also a name: "grazie Maria"."""
    rest = _rest(words, found, _CLOSING)
    if len(rest) != 1:
        return not rest
    number = rest[0]
    thanked = any(phrase.kind == "thanks" and phrase.start < number for phrase in found)
    return thanked and words[number] not in patterns and _is_name(words[number], text)


def _is_name(word: str, text: str) -> bool:
    """Capitalised inside a sentence of mixed case, and no word of everyday use."""
    sentences = text.replace("!", ".").replace("\n", ".").replace("…", ".").split(".")
    begins = {sentence.split()[0] for sentence in sentences if sentence.split()}
    spelt = [
        one.strip(",;:-()'\"") for sentence in sentences for one in sentence.split() if one not in begins
    ]
    named = any(one.istitle() and plain(one) == word for one in spelt)
    return named and len(word) > 2 and not is_common(word) and not text.isupper()
