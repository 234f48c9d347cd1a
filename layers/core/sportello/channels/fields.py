"""A platform's JSON, read with care: every field is checked for its type on the way out.

Hand-written accessors instead of models of the platform's objects: one webhook uses a dozen of
several hundred fields, and must not pay at its cold start for classes of the rest.
"""

from collections.abc import Iterator
from typing import Any


class Wrong(Exception):
    """A field is not what the platform says. The text is its path and the type expected, no content."""


class Fields:
    """One JSON object. An absent field and ``null`` are the same; a wrong type raises ``Wrong``."""

    __slots__ = ("_path", "values")

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return (name for name, value in self.values.items() if value is not None)

    def text(self, name: str) -> str:
        """The string, empty where absent."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def required_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self.wrong(name, "a string that is not empty")
        return value

    def whole(self, name: str) -> int:
        """An integer of 64 bits."""
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
            raise self.wrong(name, "a 64-bit integer")
        return value

    def whole_or_none(self, name: str) -> int | None:
        return self.whole(name) if name in self else None

    def real(self, name: str) -> float:
        value = self.values.get(name)
        if isinstance(value, float):
            return value
        return float(self.whole(name))

    def flag(self, name: str) -> bool:
        """The boolean, false where absent."""
        value = self.values.get(name, False)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.wrong(name, "a boolean")
        return value

    def part(self, name: str) -> "Fields":
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Fields(value, f"{self._path}{name}.")

    def part_or_none(self, name: str) -> "Fields | None":
        return self.part(name) if name in self else None

    def parts(self, name: str) -> "list[Fields]":
        """The objects of a list, none where absent."""
        found = []
        for index, value in enumerate(self._list(name)):
            if not isinstance(value, dict):
                raise self.wrong(f"{name}[{index}]", "an object")
            found.append(Fields(value, f"{self._path}{name}[{index}]."))
        return found

    def required_parts(self, name: str) -> "list[Fields]":
        found = self.parts(name)
        if not found:
            raise self.wrong(name, "a list that is not empty")
        return found

    def wholes(self, name: str) -> list[int]:
        """The integers of a list, none where absent."""
        values = self._list(name)
        return [Fields({"": value}, f"{self._path}{name}").whole("") for value in values]

    def _list(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return value

    def wrong(self, name: str, expected: str) -> Wrong:
        return Wrong(f"{self._path}{name}: {expected} expected")
