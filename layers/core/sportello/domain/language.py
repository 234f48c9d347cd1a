"""In which language to answer: what the platform says, the thread's, the words', the desk's.

Fewer than three words never change a language (single words such as "ok" defeat every detector).
"""

import re
from collections.abc import Sequence

LEAST_WORDS = 3

_SCRIPTS = (
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
)
_STOP_WORDS = {
    "it": frozenset(
        [
            "il",
            "lo",
            "la",
            "gli",
            "le",
            "un",
            "una",
            "di",
            "del",
            "della",
            "da",
            "in",
            "con",
            "per",
            "che",
            "non",
            "e",
            "è",
            "sono",
            "ho",
            "ha",
            "mi",
            "si",
            "ma",
            "come",
            "quando",
            "dove",
            "vorrei",
            "buongiorno",
            "salve",
            "ciao",
            "grazie",
            "mio",
            "mia",
            "ancora",
            "posso",
            "avete",
        ]
    ),
    "en": frozenset(
        [
            "the",
            "a",
            "an",
            "of",
            "to",
            "in",
            "is",
            "are",
            "was",
            "i",
            "you",
            "it",
            "my",
            "your",
            "and",
            "not",
            "have",
            "has",
            "do",
            "does",
            "can",
            "could",
            "would",
            "when",
            "where",
            "how",
            "please",
            "hello",
            "hi",
            "thanks",
            "this",
            "that",
            "with",
            "for",
            "on",
            "still",
        ]
    ),
}


def language_of(text: str, languages: Sequence[str]) -> str:
    """The desk's language in which the text is written; empty when its words do not tell."""
    for code, script in _SCRIPTS:
        if code in languages and len(script.findall(text)) >= LEAST_WORDS:
            return code
    words = re.findall(r"\w+", text.casefold())
    if len(words) < LEAST_WORDS:
        return ""
    scores = {code: sum(word in _STOP_WORDS.get(code, ()) for word in words) for code in languages}
    best = max(scores, key=lambda code: scores[code])
    others = [score for code, score in scores.items() if code != best]
    return best if scores[best] > max(others, default=0) else ""


def reply_language(platform: str, thread: str, text: str, languages: Sequence[str]) -> str:
    """One of the desk's languages, by the order of evidence; never empty."""
    if platform in languages:
        return platform
    if thread in languages:
        return thread
    return language_of(text, languages) or languages[0]
