"""What a mail says new: the quoted mail below it is cut away, and never lost (it is in ``Cut.rest``).

Mail programs mark what they quote in some twenty ways and as many languages. A mark that is not known
leaves the mail whole; a cut that would leave nothing is not made; answers written between the quoted
lines keep them, for without the questions nobody understands them.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

LONGEST_LINE = 500
"""Characters of a line that a pattern looks at: their time stays linear."""
MOST_LINES = 20_000
ATTRIBUTION_LINES = 4
SIGNATURE_LINES = 15


class Cut(NamedTuple):
    text: str
    rest: str = ""


# "On Mon, 3 Mar 2025 at 10:00, Somebody <a@example.com> wrote:", as a line of its own.
_WROTE = re.compile(
    r"""(?:
      (?:On|Op|Den|Am|Le|El|Em|Il|Dne|Dnia|W\ dniu|In\ data|A|Vào|På)\b .{5,} \b
        (?:wrote | ha(?:nno)?\ scritto | schrieb\b.{0,120} | a\ écrit | escribi[óo] | escreveu
           | schreef\b.{0,120}
           | napsala? | napsal\(a\) | napisał(?:\(?a\)?)? | pisze | skrev\b.{0,120} | đã\ viết)
    | .{3,} (?: \bwrote | \bha\ scritto | \bschrieb | \ba\ écrit | \bescribió | \bescreveu | \bschreef
           | \bnapsal(?:a|\(a\)|/a)? | \bnapísala? | \bnapisał(?:a|\(a\))? | \bpisze
           | \bskrev\b.{0,120} | \bkirjoitti
           | \bnapisao | \byazdı | \ba\ scris | \bírta | писала? | написала? | написал\(а\) | пише[тш]? | пише
           | 写道 | 寫道 | 写了 | のメール | 님이\ 작성 )
    | (?:在|于|於) .{5,} (?:写道|寫道|写了)
    ) \s* [:：]""",
    re.VERBOSE | re.IGNORECASE,
)
_DATED = re.compile(r"\d|@")
_ATTRIBUTION_STARTS = re.compile(
    r"(?:On|Op|Den|Am|Le|El|Em|Il|Dne|Dnia|W dniu|In data|A|Vào|På|在|于|於)\b|\S.{0,60}\d|.{0,80}@",
    re.IGNORECASE,
)

_SEPARATOR = re.compile(
    r"""[-_=*\s]{0,40}?-{2,}\s*(?:
      original\ (?:message|appointment) | messaggio\ originale | ursprüngliche\ (?:nachricht|e-?mail)
    | original-?\ ?nachricht | message\ d['’]origine | message\ original
    | mensaje\ original | mensagem\ original
    | oorspronkelijk\ bericht | původní\ (?:zpráva|e-?mail) | pôvodná\ správa | oryginalna\ wiadomość
    | wiadomość\ oryginalna | исходное\ сообщение | пересылаемое\ сообщение | oprindelig\ meddelelse
    | ursprungligt\ meddelande | opprinnelig\ melding | alkuperäinen\ viesti | eredeti\ üzenet
    | mesajul\ original | orijinal\ (?:mesaj|ileti) | 原始(?:邮件|郵件|信件) | 元のメッセージ | reply\ message
    )\s*-{2,}[*\s]{0,4}|\#\#-.{5,80}-\#\#""",
    re.VERBOSE | re.IGNORECASE,
)
_RULE = re.compile(r"[_\-]{20,}")

_FROM = (
    r"From|Da|Von|De|Van|Od|От|Від|Fra|Från|Lähettäjä|Kimden|Feladó|Expéditeur"
    r"|发件人|寄件者|寄件人|差出人|보낸 사람"
)
_OTHERS = {
    "date": r"Sent|Date|Inviato|Data|Gesendet|Datum|Envoyé|Enviado(?: el| em)?|Fecha|Verzonden|Odesláno"
    r"|Wysłano|Odoslané|Отправлено|Дата|Sendt|Dato|Skickat|Lähetetty|Gönderildi|Elküldve"
    r"|发送时间|发送日期|日期|寄件日期|送信日時",
    "to": r"To|A|An|À|Para|Aan|Komu|Do|Pre|Кому|Til|Till|Vastaanottaja|Kime|Címzett"
    r"|收件人|收件者|宛先|받는 사람",
    "subject": r"Subject|Oggetto|Betreff|Objet|Asunto|Assunto|Onderwerp|Předmět|Predmet|Temat|Тема"
    r"|Emne|Ämne|Aihe|Konu|Tárgy|主题|主題|主旨|件名|제목",
}
_LABELLED = r"[\s*_]{{0,4}}(?:{labels})[\s*_]{{0,3}}[:：]"
_FROM_LINE = re.compile(_LABELLED.format(labels=_FROM), re.IGNORECASE)
_OTHER_LINES = {
    name: re.compile(_LABELLED.format(labels=labels), re.IGNORECASE) for name, labels in _OTHERS.items()
}

_DEVICE = re.compile(
    r"(?:sent from|get outlook for|inviato da(?:l| )|scarica outlook|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit)|envoyé de(?:puis)? |enviado (?:desde|do|a partir)|verstuurd vanaf|verzonden vanaf"
    r"|odesláno (?:z|ze|pomocí)|wysłan[oe] z|отправлено (?:с|из)|发自我的|sendt fra"
    r"|skickat från)[^,;!?]{0,60}",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"--\s?|ᐧ")

_FORWARD = re.compile(
    r"^\s*(?:fwd?|fw|i|wg|wtr|tr|rv|enc|pd|doorst|vb|přep|vs přeposláno|пересл|转发|轉寄)\s*[:：]",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"^\s*(?:re|r|aw|antw|antwort|sv|vs|odp|odpověď|rif|res|rép|回复|回覆|答复|ynt|vá|отв|відп)"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})?\s*[:：]",
    re.IGNORECASE,
)


def is_forward(subject: str) -> bool:
    """Whether what stands below is what the writer wants to show."""
    return bool(_FORWARD.match(without_reply_prefix(subject)))


def is_reply(subject: str) -> bool:
    return bool(_REPLY.match(subject))


def without_reply_prefix(subject: str) -> str:
    """The subject without ``Re:`` in any language and number; tokens of relays stay."""
    before = None
    while before != subject:
        before, subject = subject, _REPLY.sub("", subject, count=1).strip()
    return subject


def without_prefixes(subject: str) -> str:
    """The subject as it was first written: without the marks of answers and of forwarding."""
    before = None
    while before != subject:
        before, subject = subject, _FORWARD.sub("", without_reply_prefix(subject), count=1).strip()
    return subject


def cut(text: str) -> Cut:
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        return Cut(text.strip())
    found = _first_mark(lines)
    if found is None:
        return _signed(text, "")
    start, end, quotes = found
    below = lines[end:]
    if quotes:
        own = _unquoted_after(below)
        if own is None:
            return Cut(text.strip())
        reply = [*lines[:start], *own]
    else:
        reply = lines[:start]
    kept = "\n".join(reply).strip()
    if not kept:
        return Cut(text.strip())
    return _signed(kept, "\n".join(lines[start:]).strip())


def _first_mark(lines: Sequence[str]) -> tuple[int, int, bool] | None:
    """Where quoting begins and its mark ends, and whether the quoted lines are marked one by one."""
    for number, line in enumerate(lines):
        short = line[:LONGEST_LINE].strip()
        if not short:
            continue
        if short.startswith(">"):
            return _introduced(lines, number), number, True
        if _SEPARATOR.fullmatch(short) or _is_header_block(lines, number):
            return _with_rule(lines, number), number + 1, False
        if span := _attribution(lines, number):
            below = next((other for other in lines[number + span :] if other.strip()), "")
            return number, number + span, below.lstrip().startswith(">")
    return None


def _attribution(lines: Sequence[str], number: int) -> int:
    """How many lines from here on say who wrote what follows; 0: none do."""
    if not _ATTRIBUTION_STARTS.match(lines[number][:LONGEST_LINE].strip()):
        return 0
    joined = ""
    for span in range(1, ATTRIBUTION_LINES + 1):
        if number + span > len(lines) or not lines[number + span - 1].strip():
            return 0
        joined = f"{joined} {lines[number + span - 1].strip()}".strip()
        if len(joined) > LONGEST_LINE:
            return 0
        if _WROTE.fullmatch(joined) and _DATED.search(joined):
            return span
        if span == 1 and joined.endswith((".", "!", "?")):
            return 0
    return 0


def _is_header_block(lines: Sequence[str], number: int) -> bool:
    """``From: … / Sent: … / To: … / Subject: …``, as Outlook puts it above what it quotes."""
    if not _FROM_LINE.match(lines[number][:LONGEST_LINE]):
        return False
    following = [line[:LONGEST_LINE] for line in lines[number + 1 : number + 9] if line.strip()][:6]
    found = {name for name, pattern in _OTHER_LINES.items() for line in following if pattern.match(line)}
    return len(found) >= 2


def _with_rule(lines: Sequence[str], number: int) -> int:
    """A drawn line above the mark belongs to it."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return above if above >= 0 and _RULE.fullmatch(lines[above].strip()) else number


def _introduced(lines: Sequence[str], number: int) -> int:
    """Where the lines that lead to a quoted one begin, in any language: a date or address, a colon."""
    above = number - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    for start in range(above, max(-1, above - ATTRIBUTION_LINES + 1), -1):
        if not lines[start].strip():
            break
        joined = " ".join(line.strip() for line in lines[start : above + 1])[:LONGEST_LINE]
        if (
            joined.endswith((":", "："))
            and re.search(r"@|\d{1,2}[:.]\d\d", joined)
            and re.match(r".{0,40}\d", joined)
        ):
            return start
    return number


def _unquoted_after(lines: Sequence[str]) -> list[str] | None:
    """What was written below one quoted block; None where it was written in between several."""
    blocks, quoted, own = 0, False, []
    for line in lines:
        if line.lstrip().startswith(">"):
            blocks += not quoted
            quoted = True
        elif line.strip():
            quoted = False
            own.append(line)
        elif own and not quoted:
            own.append(line)
    if blocks > 1 and any(line.strip() for line in own):
        return None
    return own


def _signed(text: str, rest: str) -> Cut:
    """Cuts the signature: what follows ``--``, or the line by which a telephone praises itself."""
    lines = text.strip().split("\n")
    for number in range(max(1, len(lines) - SIGNATURE_LINES), len(lines)):
        if _SIGNATURE.fullmatch(lines[number].strip()):
            return _split(lines, number, rest)
    if len(lines) > 1 and _DEVICE.fullmatch(lines[-1].strip()[:LONGEST_LINE]):
        return _split(lines, len(lines) - 1, rest)
    return Cut("\n".join(lines).strip(), rest)


def _split(lines: Sequence[str], number: int, rest: str) -> Cut:
    text = "\n".join(lines[:number]).strip()
    signature = "\n".join(lines[number:]).strip()
    return Cut(text, f"{signature}\n\n{rest}".strip()) if text else Cut("\n".join(lines).strip(), rest)
