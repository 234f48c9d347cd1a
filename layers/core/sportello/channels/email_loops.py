"""Why no machine may answer a mail, and which mails ask for no answer at all.

RFC 3834 and what stands beside it in practice. A machine that is answered by a machine answers back,
so every doubt counts as a reason here; that a mail owes nothing needs proof, for a customer may be
waiting behind it.
"""

import re
from typing import NamedTuple

from sportello.channels.email_hand_over import Attested, Mailboxes
from sportello.channels.email_sender import Writer
from sportello.channels.email_wire import Mail

TAG_HEADER = "x-sportello"
"""On everything that we send: our row, and that it is ours."""

_ANSWERING = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-vacation",
    "x-mail-autoreply",
)
_LISTS = (
    "list-id",
    "list-post",
    "list-unsubscribe",
    "list-help",
    "x-mailing-list",
    "x-campaign-id",
    "feedback-id",
)
_MACHINES = re.compile(
    r"(?:mailer-?daemon|postmaster|bounces?|(?:no|not)[-_.]?repl(?:y|ies)|do[-_.]?not[-_.]?reply|noreply.*|nobody"
    r"|auto-?(?:mailer|responder|reply)|notifications?|non[-_.]?rispondere|no[-_.]?responder|ne[-_.]?pas[-_.]?repondre"
    r"|keine?[-_.]?antwort|abuse|listserv|majordomo|.+-(?:request|bounces|owner))",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"mailer-?daemon|postmaster", re.IGNORECASE)
_AWAY = re.compile(
    r"(?:auto(?:matic(?:al)?|matisch\w*)?[- ]?(?:reply|response|antwort\w*)|automatische antwort"
    r"|risposta automatica|réponse automatique|respuesta automática|resposta automática|automatisch antwoord"
    r"|automatická odpověď|odpowiedź automatyczna|автоматический ответ|автоответ|自动回复|自動回覆"
    r"|out of (?:the )?office|fuori (?:ufficio|sede)|abwesenheitsnotiz|abwesend|absence du bureau|afwezig)",
    re.IGNORECASE,
)


class Judged(NamedTuple):
    automatic: str
    """Why no machine may answer; empty: one may."""
    silent: str
    """Why it asks for nothing; empty: it does."""


def judge(mail: Mail, writer: Writer, ours: Mailboxes, attested: Attested, *, answers_us: bool) -> Judged:
    """``answers_us``: the mail refers to one that we sent."""
    silent = _silent(mail, writer, attested, answers_us)
    return Judged(silent or _automatic(mail, writer, ours, attested), silent)


def _silent(mail: Mail, writer: Writer, attested: Attested, answers_us: bool) -> str:
    if writer.own:
        return "own_address"
    if is_bounce(mail, writer, attested):
        return "bounce"
    if _is_automatic_answer(mail):
        return "auto_reply"
    # A customer who is told nothing for ever is worse than a spam mail in the inbox: both must hold.
    if attested.suspicious and not attested.authenticated and not answers_us:
        return "virus" if attested.virus == "FAIL" else "spam"
    return ""


def _automatic(mail: Mail, writer: Writer, ours: Mailboxes, attested: Attested) -> str:
    if attested.virus == "FAIL":
        return "virus"
    if attested.spam == "FAIL":
        return "spam"
    if attested.forged and not writer.carried:
        return "forged"
    if mail.has(TAG_HEADER):
        return "loop"
    if mail.has("auto-submitted") and mail.word("auto-submitted") != "no":
        return "auto_submitted"
    if _is_list(mail) and not _is_own_list(mail, ours):
        return "list"
    if re.search(r"\b(?:all|autoreply|oof)\b", mail.one("x-auto-response-suppress").lower()):
        return "suppressed"
    if attested.source == "" or mail.message.get_content_type() == "multipart/report":
        return "auto_submitted"
    local, _, domain = writer.box.key.rpartition("@")
    if _MACHINES.fullmatch(local) or _MACHINES.fullmatch(_local(attested.source)):
        return "no_reply"
    return "own_domain" if domain in ours.domains else ""


def _is_list(mail: Mail) -> bool:
    return mail.word("precedence") in ("bulk", "junk", "list") or any(map(mail.has, _LISTS))


def _is_own_list(mail: Mail, ours: Mailboxes) -> bool:
    """A group of the company's own (info@ is often one): its list headers say nothing of the writer."""
    listed = mail.one("list-id").lower().rstrip("> ")
    return any(listed.endswith((f".{domain}", f"<{domain}")) for domain in ours.domains)


def is_bounce(mail: Mail, writer: Writer, attested: Attested) -> bool:
    if mail.has("x-failed-recipients"):
        return True
    report = str(mail.message.get_param("report-type", "") or "").lower()
    if mail.message.get_content_type() == "multipart/report" and report != "feedback-report":
        return True
    local = _local(writer.box.key)
    return bool(_DAEMON.fullmatch(local)) and attested.source in ("", None, writer.box.key)


def _is_automatic_answer(mail: Mail) -> bool:
    """A machine's answer to something that we wrote: an absence, a confirmation of receipt."""
    if mail.word("auto-submitted") == "auto-replied" or mail.word("precedence") == "auto_reply":
        return True
    if any(mail.one(name).lower() not in ("", "no", "false") for name in _ANSWERING):
        return True
    return bool(_AWAY.match(mail.one("subject").strip())) and mail.word("auto-submitted") not in ("", "no")


def _local(address: str | None) -> str:
    return (address or "").rpartition("@")[0]
