"""WeChat's XML, read with the standard library's expat so that nothing in it can hurt.

All that is dangerous in XML hangs on a document type (entities that multiply, files and addresses
that are fetched), and WeChat sends none: a body that begins one is refused before anything of it is
read. Without one, expat knows only the five built-in entities and asks nobody, which is what defusedxml
would ensure as well; nesting is bounded here.
"""

from typing import Any
from xml.parsers import expat

from sportello.channels.base import Unparseable
from sportello.channels.body import DEEPEST


class _Element:
    def __init__(self, name: str) -> None:
        self.name = name
        self.children: dict[str, Any] = {}
        self.loose: list[str] = []
        """Text outside of CDATA: WeChat puts line breaks and indents there."""
        self.marked: list[str] | None = None
        """Text in CDATA, none: there is no CDATA."""

    def add(self, name: str, value: Any) -> None:
        """What comes more than once becomes a list, so that it is never taken for one value."""
        if name not in self.children:
            self.children[name] = value
        elif isinstance(self.children[name], list):
            self.children[name].append(value)
        else:
            self.children[name] = [self.children[name], value]

    @property
    def value(self) -> Any:
        if self.children:
            return self.children
        return "".join(self.loose).strip() if self.marked is None else "".join(self.marked)


class _Reader:
    def __init__(self) -> None:
        self.root = _Element("")
        self._open = [self.root]
        self._in_cdata = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > DEEPEST:
            raise Unparseable("body: nested too deep")
        self._open.append(_Element(name))

    def end(self, name: str) -> None:
        element = self._open.pop()
        self._open[-1].add(element.name, element.value)

    def text(self, data: str) -> None:
        element = self._open[-1]
        (element.marked if self._in_cdata and element.marked is not None else element.loose).append(data)

    def start_cdata(self) -> None:
        self._in_cdata = True
        element = self._open[-1]
        element.marked = element.marked if element.marked is not None else []

    def end_cdata(self) -> None:
        self._in_cdata = False


def _refuse(*_: object) -> None:
    raise Unparseable("body: has a document type")


def read_xml(body: bytes) -> dict[str, Any]:
    """What is in ``<xml>``: texts, and objects or lists where there are elements inside.

    Raises:
        Unparseable: no well-formed XML in UTF-8, another root, a document type, or too deep.
    """
    reader, parser = _Reader(), expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartCdataSectionHandler, parser.EndCdataSectionHandler = reader.start_cdata, reader.end_cdata
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise Unparseable("body: not XML") from None
    found = reader.root.children.get("xml")
    if not isinstance(found, dict):
        raise Unparseable("body: not WeChat's XML")
    return found
