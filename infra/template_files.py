"""The folder ``templates/`` as its checks read it: text and YAML, and all that is wrong, by file and line."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from infra.yaml_with_lines import Document, Line, read_yaml


class Mistake(NamedTuple):
    file: str
    line: int
    text: str
    """What is wrong, and an example of the right form."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class BundleError(ValueError):
    """The templates cannot be used; ``mistakes`` are all that were found."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


class Files:
    """Reads the folder and keeps what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        """What ``sportello check`` shows, and what no build stops for."""
        self.documents: dict[str, Document] = {}
        """Every file of YAML that was read, by its name."""

    def wrong(self, name: str, lines: Iterable[Line]) -> None:
        self.mistakes += [Mistake(str(self.folder / name), line.number, line.text) for line in lines]

    def warn(self, name: str, lines: Iterable[Line]) -> None:
        self.warnings += [Mistake(str(self.folder / name), line.number, line.text) for line in lines]

    def text(self, name: str, example: str) -> str | None:
        """None after a mistake was noted."""
        try:
            raw = (self.folder / name).read_bytes()
        except OSError as error:
            self.wrong(name, [Line(1, f"cannot be read ({error.strerror}); write e.g. {example}")])
            return None
        if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
            self.wrong(
                name, [Line(1, "begins with a byte order mark; save it as plain UTF-8, e.g. without BOM")]
            )
            return None
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            number = raw.count(b"\n", 0, error.start) + 1
            self.wrong(
                name, [Line(number, "a letter is not in UTF-8; save the file as e.g. UTF-8 in your editor")]
            )
            return None

    def yaml(self, name: str, example: str) -> Document | None:
        text = self.text(name, example)
        if text is None:
            return None
        document = read_yaml(text)
        self.wrong(name, document.wrong)
        self.documents[name] = document
        if not isinstance(document.data, dict):
            if not document.wrong:
                self.wrong(name, [Line(1, f"must be lines of 'key: value'; write e.g. {example}")])
            return None
        return document
