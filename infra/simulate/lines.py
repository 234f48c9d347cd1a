"""The lines of a scenario: what customers write and what people of the desk do."""

from datetime import datetime
from mimetypes import guess_type
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BeforeValidator, ConfigDict, Field

from infra.simulate.company import Company
from sportello.domain.events import Media
from sportello.domain.model import Instant, Model, to_instant

TIME = "at: 2026-11-23T20:15+01:00"
YEARS = range(2000, 2200)
MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker", "animation"]
MEDIA_KINDS: tuple[str, ...] = get_args(MediaKind)
Other = Literal["location", "contact", "order", "call", "start", "service", "unsupported"]
_CALLED = {"photo": "image", "picture": "image", "gif": "animation", "file": "document"}


def _time(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"{value!r} is not a time; write e.g. {TIME}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone; write e.g. {TIME}, or 2026-11-23T19:15Z")
    if moment.year not in YEARS:
        raise ValueError(f"{value!r} lies in no year that can be meant; write e.g. {TIME}")
    return to_instant(moment)


def _words(value: Any) -> Any:
    """4711 and true are words here."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def _files(value: Any) -> Any:
    """``image``, a file's name, ``{kind: image, name: …}``, or a list of these."""
    return [_file(one) for one in (value if isinstance(value, list) else [value])]


def _file(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind = _CALLED.get(value, value)
    if kind in MEDIA_KINDS:
        return {"kind": kind}
    family = (guess_type(value)[0] or "").partition("/")[0]
    if "." not in value:
        raise ValueError(f"{value!r} is no kind of file; write e.g. media: image ({', '.join(MEDIA_KINDS)})")
    return {"kind": family if family in ("image", "video", "audio") else "document", "name": value}


Time = Annotated[Instant, BeforeValidator(_time)]
Words = Annotated[str, BeforeValidator(_words)]
Who = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_words)]


class File(Model):
    kind: MediaKind
    name: str = ""

    def media(self, id: str) -> Media:
        return Media(kind=self.kind, id=id, name=self.name, keep=False)


class Writes(Model):
    """A customer's line."""

    model_config = ConfigDict(populate_by_name=False)

    at: Time
    channel: str
    account: Words = ""
    sender: Who = Field(alias="from")
    text: Words | None = None
    media: Annotated[tuple[File, ...], BeforeValidator(_files)] = ()
    reaction: Words | None = None
    """The emoji; empty: it was taken back."""
    public: bool = False
    button: Words | None = None
    """The id of a button that the desk had offered."""
    kind: Other | None = None
    """What is neither words nor a file."""
    language: str = ""
    """What the platform says of the customer."""
    attested: str = ""
    """A number or address that the platform attests to be the writer's own."""
    automatic: str = ""
    """Why no machine may answer: ``auto_submitted``, ``list``, …"""
    addressed: bool = True
    """False: said where we are, but not to us."""
    ref: str = ""
    """What the link carried by which the customer came."""


class Acts(Model):
    """A line of somebody of the desk."""

    at: Time
    agent: Who
    to: Who
    reply: Words | None = None
    promise: Time | None = None
    """Of a reply for the time being: by when the full one follows."""
    resolve: bool | str | None = None
    """The reason code, or true."""
    claim: bool | str | None = None
    wanted: bool | None = None
    """What was set aside wants help after all."""
    language: str | None = None
    """Sets the language of the conversation."""
    channel: str = ""
    account: Words = ""
    public: bool | None = None


class Step(NamedTuple):
    """One line, where it stands in the file."""

    line: int
    does: Writes | Acts

    @property
    def at(self) -> Instant:
        return self.does.at


class Scenario(NamedTuple):
    steps: tuple[Step, ...]
    """In time order; those of one instant as they are written."""
    company: Company


def is_meant(act: Acts, line: Writes) -> bool:
    """Whether the act may answer this customer's line."""
    return (
        act.to == line.sender
        and act.channel in ("", line.channel)
        and act.account in ("", line.account)
        and act.public in (None, line.public)
    )
