"""The desk of ``templates/`` in every language that its texts are written in."""

import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.bundle import Bundle, load
from sportello.domain.model import Instant
from sportello.domain.patterns import LISTS

TEMPLATES = Path(__file__).parents[2] / "templates"
LOCALES = ("it", "en", "es", "fr", "de", "pt", "ru", "zh")


_FEW_PHRASES = "".join(f"{name}: {['never'] if name == 'anger' else []}\n" for name in LISTS) + "topics: {}\n"


def lean_copy(folder: Path) -> Path:
    """``templates/`` with hardly a phrase and no frequent questions, which take most of the time to check."""
    shutil.copytree(TEMPLATES, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "faq", ignore_errors=True)
    for path in (folder / "phrases").iterdir():
        path.write_text(_FEW_PHRASES, "utf-8")
    return folder


def with_languages(folder: Path, *languages: str, formal: bool = False) -> Path:
    """Such a copy for these languages."""
    lean_copy(folder)
    desk = (folder / "desk.yaml").read_text("utf-8")
    desk = re.sub(r"(?m)^languages: .*$", f"languages: [{', '.join(languages)}]", desk)
    desk = re.sub(r"(?m)^formal: .*$", f"formal: {str(formal).lower()}", desk)
    desk = re.sub(r"(?m)^exceptions:\n((  .*)?\n)+", "", desk)  # their names are in the desk's languages
    (folder / "desk.yaml").write_text(desk, "utf-8")
    return folder


@cache
def in_all_languages(at: Instant) -> Bundle:
    with TemporaryDirectory() as folder:
        return load(with_languages(Path(folder), *LOCALES), at)
