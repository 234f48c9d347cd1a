"""One function for each rule: where a text breaks it, and what to say instead."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from sportello.domain import personal_data
from sportello.domain.address import Sign, signs
from sportello.domain.guideline_phrases import Place, of_replaced, of_words
from sportello.domain.guidelines import Guidelines, Rules


class Asked(NamedTuple):
    text: str
    rules: Rules
    guidelines: Guidelines
    channel: str
    public: bool
    formal: bool
    order_patterns: tuple[str, ...]
    limit: int | None


# --- tu and Lei -----------------------------------------------------------------------------------

_MOST_SIGNS = 3
"""Remarks on the address in one text: the rest is seen by then."""


def _formality(asked: Asked) -> Iterator[Place]:
    use = asked.rules.formality.use
    if use in (None, "any"):
        return
    wanted = asked.formal if use == "desk" else use == "formal"
    found = signs(asked.text, asked.guidelines.language)
    if _mixed(found):
        return  # said by mixed_address
    right = any(sign.sure and sign.formal is wanted for sign in found)
    wrong = [sign for sign in found if sign.formal is not wanted and (sign.sure or not right)]
    if not any(sign.sure for sign in wrong) and any(sign.formal is wanted for sign in found):
        return
    yield from ((sign.start, sign.end, "") for sign in wrong[:_MOST_SIGNS])


def _mixed_address(asked: Asked) -> Iterator[Place]:
    found = signs(asked.text, asked.guidelines.language)
    if not _mixed(found):
        return
    sure = [sign for sign in found if sign.sure]
    fewer = sum(sign.formal for sign in sure) * 2 <= len(sure)
    yield next((sign.start, sign.end, "") for sign in sure if sign.formal is fewer)


def _mixed(found: list[Sign]) -> bool:
    return len({sign.formal for sign in found if sign.sure}) == 2


# --- phrases --------------------------------------------------------------------------------------


def _banned(asked: Asked) -> Iterator[Place]:
    return of_replaced(asked.rules.banned.words, asked.text)


def _preferred(asked: Asked) -> Iterator[Place]:
    return of_replaced(asked.rules.preferred.words, asked.text)


def _promise(asked: Asked) -> Iterator[Place]:
    return of_words(asked.rules.promise, asked.text)


def _dead_end(asked: Asked) -> Iterator[Place]:
    return of_words(asked.rules.dead_end, asked.text)


# --- length, capitals, emoji ------------------------------------------------------------------------


def _length(asked: Asked) -> Iterator[Place]:
    most = asked.rules.length.most
    if asked.limit is not None:
        most = asked.limit if most is None else min(most, asked.limit)
    if most is not None and len(asked.text) > most:
        yield most, len(asked.text), ""


_CAPITALS = re.compile(r"(?<![\w@#/.-])[^\W\d_a-zа-яё]{2,}(?![\w@/-])(?!\.\w)")
_ALONE = re.compile(r"(?<![\w@#/.-])[^\W\d_]{1,3}(?![\w@/-])")
_CODE_BEFORE = re.compile(
    r"(?:codic\w+|code\w*|код\w*|промокод\w*|coupon|voucher|sku|parola|word|слово|scriv\w+|rispond\w+"
    r"|reply|text|send|ответ\w+|напиш\w+)"
    r"[\s:«\"'“(]*$",
    re.IGNORECASE,
)


def _shouting(asked: Asked) -> Iterator[Place]:
    rule, text = asked.rules.shouting, asked.text
    allowed = {word.casefold() for word in rule.allow or ()}
    words = [
        found.span()
        for found in _CAPITALS.finditer(text)
        if found[0].isupper()
        and found[0].casefold() not in allowed
        and not _CODE_BEFORE.search(text, max(0, found.start() - 20), found.start())
    ]
    for start, end in _together(text, words):
        count = sum(start <= first and last <= end and last - first >= 3 for first, last in words)
        if count >= 2 or end - start >= (rule.letters or 0):
            yield start, end, text[start:end].capitalize() if start == 0 else text[start:end].lower()
    for found in re.finditer(rf"[!?]{{{rule.marks or 3},}}", text):
        yield *found.span(), found[0][0]


def _together(text: str, words: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Words in capitals that stand side by side are one cry."""
    at = 0
    while at < len(words):
        start, end = words[at]
        while at + 1 < len(words) and re.fullmatch(
            r"[ ,!'’]{1,3}(?:[^\W\d_] )?", text[end : words[at + 1][0]]
        ):
            at += 1
            end = words[at][1]
        yield start, end
        at += 1


_EMOJI = re.compile(
    r"(?:[\U0001F1E6-\U0001F1FF]{2}"
    r"|[#*0-9]\uFE0F?\u20E3"
    r"|[\U0001F300-\U0001FAFF\u2600-\u27BF\u2B50\u2B55\u231A\u231B\u23E9-\u23FA\u2934\u2935\u3030\u303D]"
    r"[\uFE0F\U0001F3FB-\U0001F3FF]*(?:\u200D[\U0001F300-\U0001FAFF\u2600-\u27BF][\uFE0F\U0001F3FB-\U0001F3FF]*)*)"
)


def _emoji(asked: Asked) -> Iterator[Place]:
    rule = asked.rules.emoji
    found = list(_EMOJI.finditer(asked.text))
    banned = {_bare_emoji(sign) for sign in rule.banned or ()}
    for one in found:
        if _bare_emoji(one[0]) in banned:
            yield *one.span(), ""
    most = rule.formal if asked.formal and rule.formal is not None else rule.most
    if most is not None and len(found) > most:
        yield *found[most].span(), ""


def _bare_emoji(sign: str) -> str:
    return re.sub(r"[\ufe0f\U0001f3fb-\U0001f3ff]", "", sign)


# --- what was not meant for customers -----------------------------------------------------------------

_NAMES_OF_GAPS = (
    "nome|cognome|cliente|numero|data|ora|link|inserire|inserisci|ordine|indirizzo|importo|firma"
    "|name|first.?name|last.?name|customer|order|date|insert|number|amount|address|your|url|agent"
    "|имя|фамилия|номер|дата|ссылка|вставить|вставь|вставьте|сумма|адрес|клиент|название|заказ"
    "|nombre|nom|prénom|vorname|datum|nome do cliente|número"
)
_GAPS = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{[\w .-]{1,40}\}|\$\{[^}]{1,40}\}|<<[^<>]{1,40}>>|__+[a-z]\w*?__+|_{4,}"
    rf"|\[(?:{_NAMES_OF_GAPS})(?:[ _:/-][^\]\n]{{0,40}})?\]|<(?:{_NAMES_OF_GAPS})(?:[ _-][\w -]{{0,30}})?>"
    r"|lorem ipsum|(?<!\w)x{4,12}(?!\w)",
    re.IGNORECASE,
)
_GAPS_IN_CAPITALS = re.compile(
    r"\[[A-ZА-ЯЁÀ-Þ][A-ZА-ЯЁÀ-Þ _/-]{2,40}\]|<[A-ZА-ЯЁÀ-Þ][A-ZА-ЯЁÀ-Þ _/-]{2,40}>|%[A-Z_]{3,30}%"
    r"|(?<!\w)(?:X{3,12}|Х{3,12})(?!\w)|(?<!\w)(?:TODO|FIXME|TBD)(?!\w)"
)


def _placeholder(asked: Asked) -> Iterator[Place]:
    named = [found.span() for found in _GAPS.finditer(asked.text)]
    yield from ((start, end, "") for start, end in named)
    for found in _GAPS_IN_CAPITALS.finditer(asked.text):
        if not any(start < found.end() and found.start() < end for start, end in named):
            yield *found.span(), ""


def _personal_data(asked: Asked) -> Iterator[Place]:
    if not asked.public:
        return
    hits = personal_data.found(asked.text, asked.order_patterns)
    for hit in personal_data.of_others(asked.text, hits, asked.guidelines.ours.contacts):
        yield hit.start, hit.end, ""


_ALWAYS_INTERNAL = re.compile(
    r"<[@#!][\w|^.-]{2,60}>|(?<!\w)@(?:here|channel|everyone|all)(?!\w)|file://\S+|\\\\[\w.-]+\\\S*"
    r"|https?://(?:localhost|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d"
    r"|3[01])\.\d+\.\d+)(?::\d+)?\S*"
    r"|https?://[\w-]+(?::\d+)?(?=/|\s|$)\S*"
    r"|(?:https?://)?(?<![\w.])[\w-]+(?:\.[\w-]+)*\.(?:intranet|internal|corp|lan|local)(?![\w-])\S*"
    r"|(?:https?://)?(?<![\w.])(?:intranet|jira|confluence|wiki|gitlab|sharepoint)\.[\w.-]+\.\w{2,}\S*"
    r"|(?<!\w)(?:ticket|тикет|issue|case)\s?(?:n\.\s?|nr\.?\s?|no\.?\s?|№\s?)?#\s?\d+",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w@/.])@[\w][\w.]{1,30}(?<!\.)")
_NETWORK_BEFORE = re.compile(
    r"(?:instagram|telegram|twitter|facebook|tiktok|threads|messenger|profilo|pagina|account|page|profile"
    r"|профил\w*|канал\w*|телеграм\w*"
    r"|инстаграм\w*|бот\w*|bot|(?<!\w)(?:su|on|в|на|x|ig|tg|fb))[\s:(]*$",
    re.IGNORECASE,
)


def _internal(asked: Asked) -> Iterator[Place]:
    text, ours = asked.text, asked.guidelines.ours
    yield from ((*found.span(), "") for found in _ALWAYS_INTERNAL.finditer(text))
    yield from of_words(asked.rules.internal, text)
    for pattern in _own_names(ours.teams, ours.trackers, ours.hosts):
        yield from ((*found.span(), "") for found in pattern.finditer(text))
    colleagues = {handle.lstrip("@").casefold() for handle in ours.handles}
    known = {contact.lstrip("@").casefold() for contact in ours.contacts}
    for found in _HANDLE.finditer(text):
        name = found[0][1:].casefold()
        if name in ("here", "channel", "everyone", "all"):
            continue  # found above
        if name in colleagues or not (asked.public or name in known or _of_network(text, found.start())):
            yield *found.span(), ""


def _of_network(text: str, start: int) -> bool:
    """A handle after the name of a network is an account that customers can write to."""
    return bool(_NETWORK_BEFORE.search(text, max(0, start - 24), start))


@lru_cache(maxsize=64)
def _own_names(
    teams: tuple[str, ...], trackers: tuple[str, ...], hosts: tuple[str, ...]
) -> list[re.Pattern[str]]:
    patterns = []
    if teams:
        patterns.append(rf"(?<!\w)(?:{_any_of(teams)})(?!\w)")
    if trackers:
        patterns.append(rf"(?<!\w)(?:{_any_of(trackers)})-\d+(?!\w)")
    if hosts:
        patterns.append(rf"(?:https?://)?(?<![\w.])(?:{_any_of(hosts)})(?![\w-])\S*")
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


def _any_of(names: tuple[str, ...]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


CHECKS: Mapping[str, Callable[[Asked], Iterator[Place]]] = {
    "formality": _formality,
    "mixed_address": _mixed_address,
    "banned": _banned,
    "preferred": _preferred,
    "promise": _promise,
    "dead_end": _dead_end,
    "length": _length,
    "shouting": _shouting,
    "emoji": _emoji,
    "placeholder": _placeholder,
    "personal_data": _personal_data,
    "internal": _internal,
}
