"""Does a public post ask us for something? A pure reading of its words, with the reason.

When in doubt it does: a post that is taken for a call for help costs an agent a glance, one that is
taken for chatter costs a customer. Italian and English; other languages are left in doubt, except
for a question mark, and for posts without words.
"""

import re
from typing import NamedTuple

from sportello.domain.phrases import plain


class Label(NamedTuple):
    asks: bool
    why: str
    """``question``, ``help``, ``problem``, ``media``, ``words`` (asks); ``no_words``, ``giveaway``,
    ``tags``, ``thanks``, ``praise`` (does not)."""


MANY_TAGS = 3
FEW_WORDS = 3
"""As many words beside many handles: people tagged into a post that is not ours to answer."""

_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_HANDLE = re.compile(r"[@＠]\w+")
_QUESTION = re.compile("[?？؟¿⁇]")


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b")


# All matched in plain words: lower case, no accents, no punctuation (``domain.phrases.plain``).
_GIVEAWAY = _any(
    r"(?:rt|retweet|repost|like|follow|tag|segui|tagga)(?: \w+){0,6} (?:to|and|e|per) "
    r"(?:win|enter|vincere|partecipare|vinci|retweet|rt|repost|like|tag|tagga|condividi)",
    r"tag (?:\d|a|two|three|your) friends?",
    r"tagga (?:\d|un|una|due|tre|i tuoi) amic\w+",
)
_GIVEAWAY_TAG = re.compile(
    r"#(?:giveaways?|contest|concors[oi]|win|vinci|sweepstakes|airdrop|followback)\b", re.IGNORECASE
)
_ASKING = _any(
    "how (?:do|can|could|long|much|many|to|come|is|are)",
    "(?:what|when|where|which|why|who) (?:is|are|was|were|do|does|did|will|can|should|time|day|about)",
    "(?:can|could|would|will) (?:you|someone|somebody|anyone|i|we)",
    "(?:do|does|is|are) (?:you|it|there|this|that|the)",
    "come (?:faccio|posso|si|mai|devo|funziona)",
    "(?:quando|quanto|quanti|quante|dove|perche|quale|quali|chi) \\w+",
    "(?:potete|puoi|potreste|potresti|sapete|posso|e possibile)",
)
_HELP = _any(
    "help",
    "helpdesk",
    "support",
    "assist",
    "assistance",
    "please",
    "pls",
    "plz",
    "urgent",
    "urgently",
    "asap",
    "contact me",
    "call me",
    "dm me",
    "dm sent",
    "sent (?:you )?a dm",
    "need",
    "i want",
    "i would like",
    "aiuto",
    "aiutatemi",
    "aiutarmi",
    "assistenza",
    "supporto",
    "per favore",
    "per piacere",
    "urgente",
    "urgentemente",
    "ho bisogno",
    "avrei bisogno",
    "vorrei",
    "voglio",
    "contattatemi",
    "richiamatemi",
    "rispondete",
    "rispondetemi",
    "scritto in (?:dm|privato|direct)",
)
_PROBLEM = _any(
    "(?:not|never|isn t|doesn t|don t|didn t|won t|can t|cannot|couldn t|wasn t|haven t|hasn t|no)",
    "(?:non|mai|nessun\\w*|niente|nulla|manca|mancano|mancante|senza)",
    "problems?|issues?|errors?|bugs?|broken|broke|damaged|faulty|defective|down|outage|crash\\w*|stuck",
    "fail(?:s|ed|ing|ure)?|wrong|missing|lost|los(?:e|ing)|late|delay\\w*|waiting|refund\\w*|cancel\\w*",
    "complain\\w*|scam\\w*|fraud\\w*|stolen|charged|overcharged|worst|terrible|awful|horrible|useless",
    "disappoint\\w*|disgust\\w*|unacceptable|shame\\w*|rude|ridiculous|joke|thanks for nothing|still",
    "problem[ai]|guast[oi]|rott[oaie]|difettos[oaie]|danneggiat[oaie]|error[ei]|blocca\\w*|sbagliat[oaie]",
    "pers[oaie]|smarrit[oaie]|ritard[oi]|in ritardo|attesa|attendo|aspett\\w+|rimbors\\w+|reclam\\w+",
    "disdetta|disdire|annull\\w+|truffa\\w*|rubat[oaie]|addebitat[oaie]|peggio\\w*|pessim[oaie]",
    "vergogn\\w+|schifo|scandalos[oaie]|inaccettabile|delus[oaie]|incompetent[ie]|ridicol[oaie]|ancora",
    "scadut[oaie]|grazie di niente|grazie per niente",
)
_THANKED_FOR = re.compile(
    r"\b(thanks|thank you|thx|cheers|grazie)"
    r"(?: (?:so|very|much|a|lot|mille|tante|infinite|davvero))*"
    r" (?:for|per|dell?)"
    r"(?: (?:the|your|all|of|l|il|la|lo|i|le|vostr[oaie]|tutto|quick|fast|great|kind|prompt|rapid[oa]))*"
    r" (?:help|support|assistance|reply|answer|response|aiuto|supporto|assistenza|risposta|disponibilita)\b"
)
_GRATEFUL = "thanks thank thx tnx ty cheers grazie ringrazio ringraziamo ringraziarvi ringraziare"
_ADMIRING = (
    "great awesome amazing excellent fantastic wonderful brilliant perfect best love loved lovely "
    "congrats congratulations bravo brava bravi brave bravissimi complimenti ottimo ottima ottimi perfetto "
    "perfetta fantastico fantastica fantastici eccellente stupendo stupenda grandi grande mitici top "
    "adoro amo bello bella bellissimo bellissima super wow nice cool good happy migliore migliori"
)
_SMALL = (
    "a an the to you your u guys team for so much very lot really all of and is are it its this that my i we "
    "service job work product products company brand as always ever again just today love from in on with "
    "il lo la i gli le l un una di del della dei delle da per con e ed a ai al alla in mille tante tanto "
    "davvero molto siete sei servizio lavoro prodotto prodotti squadra tutti tutto voi vi ti come sempre "
    "veramente proprio oggi che mi"
)
_TURNING = "but ma pero however though yet tuttavia purtroppo unfortunately except tranne"
_THANKS, _PRAISE, _FILLER, _TURNS = (
    frozenset(listed.split()) for listed in (_GRATEFUL, _ADMIRING, _SMALL, _TURNING)
)
_STRAY = 1
"""Words in praise that are neither praise nor filler: a product's name, say."""


def label(text: str, *, with_media: bool = False) -> Label:
    """Whether the post asks us for something. ``text`` as its author sees it, with handles and links.

    ``with_media``: a picture or film stands beside it, which without words may well be the complaint.
    """
    bare = _HANDLE.sub(" ", _LINK.sub(" ", text))
    words = plain(bare)
    if _GIVEAWAY.search(words):
        return Label(False, "giveaway")
    if _QUESTION.search(bare) or _ASKING.search(words):
        return Label(True, "question")
    rest = _THANKED_FOR.sub(r"\1", words)
    if _HELP.search(rest):
        return Label(True, "help")
    if _PROBLEM.search(rest):
        return Label(True, "problem")
    if with_media and not words:
        return Label(True, "media")
    return _chatter(text, rest.split()) or Label(True, "words")


def _chatter(text: str, words: list[str]) -> Label | None:
    if not words:
        return Label(False, "no_words")
    if _GIVEAWAY_TAG.search(text):
        return Label(False, "giveaway")
    if len(_HANDLE.findall(text)) > MANY_TAGS and len(words) <= FEW_WORDS:
        return Label(False, "tags")
    kind = _gratitude(words)
    return Label(False, kind) if kind else None


def _gratitude(words: list[str]) -> str:
    """``thanks`` or ``praise`` where there is little else; empty otherwise."""
    stray = [word for word in words if word not in _THANKS | _PRAISE | _FILLER]
    if len(stray) > _STRAY or _TURNS.intersection(words):
        return ""
    if _THANKS.intersection(words):
        return "thanks"
    return "praise" if _PRAISE.intersection(words) else ""
