"""A mail of ours: plain text in UTF-8, one file at most, in the customer's conversation.

SES writes ``Message-ID``, ``Date`` and its own signature; all else is here. What comes from the
customer's mail (subject, ids) was cleaned before and is cleaned again: nothing of it makes a header.
"""

import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from sportello.channels.base import Account, Attachment, Outbound
from sportello.channels.email_events import encoded
from sportello.channels.email_quotes import without_reply_prefix

SUBJECT_LIMIT = 200
REFERENCES_LIMIT = 900
"""Characters; SMTP allows 998 in a line."""
TAG_HEADER = "X-Sportello"

_ID = re.compile(r"[!-;=?-~]{1,250}")
_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
_POLICY = SMTP.clone(cte_type="7bit")

# docs.aws.amazon.com/ses/latest/dg/mime-types.html
REFUSED_FILES = frozenset(
    {"ade", "adp", "app", "asp", "bas", "bat", "cer", "chm", "cmd", "com", "cpl", "crt",
    "csh", "der", "exe", "fxp", "gadget", "hlp", "hta", "inf", "ins", "isp", "its", "js",
    "jse", "ksh", "lib", "lnk", "mad", "maf", "mag", "mam", "maq", "mar", "mas", "mat",
    "mau", "mav", "maw", "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msh1",
    "msh2", "mshxml", "msh1xml", "msh2xml", "msi", "msp", "mst", "ops", "pcd", "pif", "plg", "prf",
    "prg", "ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "reg", "scf", "scr", "sct", "shb",
    "shs", "sys", "tmp", "url", "vb", "vbe", "vbs", "vps", "vsmacros", "vss", "vst", "vsw",
    "vxd", "ws", "wsc", "wsf", "wsh", "xnk"}
)  # fmt: skip


def sendable(address: str) -> str:
    """The address as SES takes it, its domain in ASCII; empty where it takes none such."""
    local, _, domain = address.rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""
    return plain if _ADDRESS.fullmatch(plain) and "" not in local.split(".") else ""


def is_refused_file(name: str) -> bool:
    return name.lower().rpartition(".")[2] in REFUSED_FILES


def context(subject: str, message_id: str, references: list[str]) -> dict[str, str]:
    """What an answer to a mail needs of it, for ``Inbound.context``."""
    found = {
        "subject": _one_line(subject),
        "id": message_id if _ID.fullmatch(message_id) else "",
        "references": _chain(references),
    }
    return {name: value for name, value in found.items() if value}


def compose(message: Outbound, account: Account, to: str) -> bytes:
    """The raw message; ``to`` is ``sendable``."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = Address(_one_line(account.name), addr_spec=sendable(account.id))
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = _subject(message.context, account)
    if answered := message.context.get("id", ""):
        mail["In-Reply-To"] = f"<{answered}>"
        mail["References"] = " ".join(f"<{id}>" for id in _chain_of(message.context))
    if not message.by_person:
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    if message.tag:
        mail[TAG_HEADER] = encoded(message.tag)
    mail.set_content(_text(message), subtype="plain", charset="utf-8", cte="quoted-printable")
    if message.attachment is not None:
        _attach(mail, message.attachment)
    return mail.as_bytes()


def _subject(context: Mapping[str, str], account: Account) -> str:
    subject = without_reply_prefix(_one_line(context.get("subject", "")))
    return f"Re: {subject}" if subject else _one_line(account.name) or account.id


def _text(message: Outbound) -> str:
    """Mail has no buttons: what may be answered stands below, one choice a line."""
    choices = "\n".join(f"- {button.title}" for button in message.buttons)
    return "\n\n".join(part for part in (message.text.strip("\r\n"), choices) if part)


def _attach(mail: EmailMessage, file: Attachment) -> None:
    kind, _, subtype = file.mime.lower().partition(";")[0].strip().partition("/")
    usual = kind in ("text", "image", "audio", "video", "application", "font", "model")
    if not usual or not re.fullmatch(r"[a-z0-9!#$&^_.+-]{1,90}", subtype):
        kind, subtype = "application", "octet-stream"
    mail.add_attachment(file.content, maintype=kind, subtype=subtype, filename=_one_line(file.name) or "file")


def _chain(references: list[str]) -> str:
    """The ids without brackets: where they grow too many, the first one and the newest."""
    ids = [id for id in dict.fromkeys(references) if _ID.fullmatch(id)]
    while len(ids) > 2 and sum(len(id) + 3 for id in ids) > REFERENCES_LIMIT - 260:
        del ids[1]
    return " ".join(ids)


def _chain_of(context: Mapping[str, str]) -> list[str]:
    ids = [*context.get("references", "").split(), context["id"]]
    return list(dict.fromkeys(ids))


def _one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:SUBJECT_LIMIT]
