"""A customer's mail program: how it shows our mail, and how it writes."""

import email
import hashlib
import mimetypes
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, formataddr
from typing import Protocol

from infra.world.files import file_bytes
from infra.world.model import File, Letter, Person, Say, Shown
from sportello.channels.email_events import tag_of
from sportello.domain.model import Instant, to_datetime

REGION = "us-east-1"


class Account(Protocol):
    """The mailbox of ours that is written to."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


def letter_shown(letter: Letter) -> Shown:
    message = email.message_from_string(letter.raw, policy=default)
    assert isinstance(message, EmailMessage)  # noqa: S101 the policy makes no other
    return Shown(
        id=letter.id,
        direction="out",
        kind="media" if (file := _file(message)) else "text",
        text=letter.text.strip(),
        file=file,
        time=letter.time,
        account=str(message["From"].addresses[0].addr_spec),
        quote=letter.headers.get("In-Reply-To", "").strip("<>"),
        tag=tag_of(letter.headers.get("X-Sportello", "")),
        status="sent",
    )


def _file(message: EmailMessage) -> File | None:
    for part in message.iter_attachments():
        content = part.get_content()
        data = content if isinstance(content, bytes) else str(content).encode()
        return File(
            name=part.get_filename() or "",
            mime=part.get_content_type(),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
    return None


def written(
    say: Say,
    person: Person,
    address: str,
    account: Account,
    id: str,
    time: Instant,
    answered: Shown | None,
) -> bytes:
    """The mail as the customer's program makes it."""
    mail = EmailMessage()
    mail["From"] = say.more.get("sender") or formataddr((person.name, address))
    mail["To"] = account.id
    mail["Date"] = format_datetime(to_datetime(time))
    mail["Message-ID"] = f"<{id}>"
    mail["Subject"] = f"Re: {account.name}" if answered else say.more.get("subject", "")
    if quoted := say.quote or (answered.id if answered else ""):
        mail["In-Reply-To"] = f"<{quoted}@{REGION}.amazonses.com>"
    for line in filter(None, say.more.get("headers", "").split("\n")):
        name, _, value = line.partition(":")
        mail[name] = value.strip()
    text = say.text
    if answered and say.more.get("quoting") != "no":
        quoted = "\n".join(f"> {line}" for line in answered.text.split("\n"))
        when = f"{to_datetime(answered.time):%d %b %Y at %H:%M}"
        text = f"{text}\n\nOn {when}, {account.name} <{account.id}> wrote:\n{quoted}"
    if say.kind == "unsupported":
        mail.set_content(b"encrypted", "application", "pkcs7-mime", filename="smime.p7m")
        return mail.as_bytes()
    mail.set_content(text)
    if html := say.more.get("html"):
        mail.add_alternative(html, subtype="html")
    if say.kind == "media":
        _attach(mail, say, id)
    return mail.as_bytes()


def _attach(mail: EmailMessage, say: Say, id: str) -> None:
    types = {"image": "image/png", "photo": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}
    mime = say.more.get("mime", types.get(say.media, "application/pdf"))
    kind, _, subtype = mime.partition("/")
    name = say.more.get("name", f"file{mimetypes.guess_extension(mime) or ''}")
    content = file_bytes(id, mime, int(say.more.get("size", "0")))
    mail.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
