"""The one seam through which the desk and its texts are loaded.

They lie beside the package (in the layer: ``python/sportello`` and ``python/templates``), written
by ``python -m infra.bundle``. Read once per process.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sportello.domain.desk import Desk
from sportello.domain.site import Site

if TYPE_CHECKING:
    from sportello.domain.directory import Directory
    from sportello.domain.faq import Faq
    from sportello.services.wording import Texts

FOLDER = Path(__file__).resolve().parents[2] / "templates"

_given: tuple[Desk, Texts | None] | None = None
_given_faq: Faq | None = None


class NoDesk(RuntimeError):
    """The build left the desk's files out, or they are not of this version."""


def given() -> bool:
    """Whether ``use`` has put a desk in the place of the files."""
    return _given is not None


def current_desk() -> Desk:
    """The desk as it is now.

    Raises:
        NoDesk: its file is missing or cannot be used.
    """
    return _given[0] if _given else _load_desk()


def current_texts() -> Texts:
    """What sender and notifier say. Raises NoDesk as ``current_desk`` does."""
    return _given[1] if _given and _given[1] else _load_texts()


def current_site() -> Site:
    """What the chat on the site says. Raises NoDesk as ``current_desk`` does."""
    if _given and _given[1]:
        return Site(words=_given[1].site, calendar=_given[1].calendar)
    return _load_site()


def current_faq() -> Faq:
    """The frequent questions. Raises NoDesk as ``current_desk`` does."""
    return _given_faq if _given and _given_faq else _load_faq()


def current_directory() -> Directory:
    """What the public page says. Raises NoDesk as ``current_desk`` does."""
    if _given and _given[1]:
        from sportello.domain.directory import Directory

        return Directory(words=_given[1].directory, calendar=_given[1].calendar, ways=_given[1].ways)
    return _load_directory()


def use(desk: Desk | None, texts: Texts | None = None, faq: Faq | None = None) -> None:
    """Take this desk instead of the files (command line, simulator, tests); None: the files again."""
    global _given, _given_faq
    _given = None if desk is None else (desk, texts)
    _given_faq = None if desk is None else faq


@cache
def _load_desk() -> Desk:
    try:
        desk = Desk.model_validate_json(_read("desk.json"))
        desk.calendar.is_open(0)  # hours that cannot be read stop the start, not the first message
    except ValueError as error:
        raise NoDesk(f"{FOLDER / 'desk.json'} cannot be used: {error}. {_REMEDY}") from None
    return desk


@cache
def _load_texts() -> Texts:
    from sportello.services.wording import Texts  # it loads Jinja, which webhooks do without

    try:
        return Texts.model_validate_json(_read("texts.json"))
    except ValueError as error:
        raise NoDesk(f"{FOLDER / 'texts.json'} cannot be used: {error}. {_REMEDY}") from None


@cache
def _load_site() -> Site:
    try:
        return Site.model_validate_json(_read("site.json"))
    except ValueError as error:
        raise NoDesk(f"{FOLDER / 'site.json'} cannot be used: {error}. {_REMEDY}") from None


@cache
def _load_faq() -> Faq:
    from sportello.domain.faq import Faq  # webhooks do without

    try:
        return Faq.model_validate_json(_read("faq.json"))
    except ValueError as error:
        raise NoDesk(f"{FOLDER / 'faq.json'} cannot be used: {error}. {_REMEDY}") from None


@cache
def _load_directory() -> Directory:
    from sportello.domain.directory import Directory  # webhooks do without

    try:
        return Directory.model_validate_json(_read("directory.json"))
    except ValueError as error:
        raise NoDesk(f"{FOLDER / 'directory.json'} cannot be used: {error}. {_REMEDY}") from None


_REMEDY = f"Write it with: python -m infra.bundle templates {FOLDER}"


def _read(name: str) -> bytes:
    try:
        return (FOLDER / name).read_bytes()
    except OSError as error:
        raise NoDesk(f"{FOLDER / name} cannot be read ({error.strerror}). {_REMEDY}") from None
