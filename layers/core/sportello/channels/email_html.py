"""HTML mail as text: nothing is loaded, nothing is run, what a reader would see is kept.

Quoted mail is told apart by what the mail programs put around it and comes out as ``> `` lines, so
that one set of rules (``email_quotes``) cuts both kinds of mail.
"""

import re
from html import unescape
from html.parser import HTMLParser

LONGEST = 400_000
"""Characters of HTML that are read; newsletters that are longer say nothing more."""
DEEPEST = 200

_SKIPPED = frozenset({"style", "script", "head", "title", "template", "noscript", "object", "svg", "select"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_BLOCKS = frozenset(
    {"address", "article", "aside", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer",
     "form", "header", "li", "main", "nav", "ol", "section", "table", "tr", "ul"}
)  # fmt: skip
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"})
_QUOTING = re.compile(
    r"gmail_quote|gmail_extra|yahoo_quoted|yahoo-quoted|protonmail_quote|tutanota_quote|zmail_extra|"
    r"moz-cite-prefix|OLK_SRC_BODY_SECTION|ms-outlook-mobile-reference-message|"
    r"mail-editor-reference-message-container|isReplyContent|WM_FOLD_QUOTE"
)
_QUOTED_FROM_HERE = re.compile(r"divRplyFwdMsg|appendonsend|stopSpelling|x_divRplyFwdMsg")
"""Outlook marks where the answered mail begins, and nothing around it."""
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_UNCLOSED = re.compile(r"<(?![^<>]{0,20000}>)")
"""A tag that never ends: older parsers look for its end again and again."""
_SPACES = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u034f\u00ad]+")
_BLANKS = re.compile(r"\n(?:[> ]*\n){2,}")


def to_text(html: str) -> str:
    reader = _Reader()
    try:
        reader.feed(_without_comments(html[:LONGEST]))
        reader.close()
    except (AssertionError, RecursionError, ValueError):  # declarations that the parser cannot read
        return unescape(re.sub(r"<[^<>]*>", " ", html[:LONGEST]))
    return reader.text()


def _without_comments(html: str) -> str:
    """In linear time, which the parser does not promise; Outlook hides its markup in comments."""
    kept, at = [], 0
    while (start := html.find("<!--", at)) >= 0:
        kept.append(html[at:start])
        end = html.find("-->", start + 4)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return _UNCLOSED.sub("&lt;", re.sub(r"<!\[[^<>]*\]>", "", "".join([*kept, html[at:]])))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        """Tag, whether it quotes, whether it hides."""
        self._links: list[tuple[str, int]] = []
        self._quoted = 0
        self._hidden = 0
        self._pre = 0

    def text(self) -> str:
        self._end_line()
        return _BLANKS.sub("\n\n", "\n".join(self._lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _VOID:
            self._void(tag, given)
            return
        names = f"{given.get('class', '')} {given.get('id', '')} {given.get('name', '')}"
        self._break(tag)
        if _QUOTED_FROM_HERE.search(names):
            self._end_line()
            self._quoted += 1
        quotes = tag == "blockquote" or bool(_QUOTING.search(names))
        hides = tag in _SKIPPED or bool(_HIDDEN.search(given.get("style", ""))) or "hidden" in given
        if len(self._open) >= DEEPEST:
            return
        if quotes:
            self._end_line()
        self._open.append((tag, quotes, hides))
        self._quoted += quotes
        self._hidden += hides
        self._pre += tag == "pre"
        if tag == "a":
            self._links.append((given.get("href", "").strip(), len(self._line)))
        if tag == "li":
            self._line.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if not any(opened == tag for opened, _, _ in self._open):
            return
        if tag == "a" and self._links:
            self._show_link(*self._links.pop())
        self._break(tag)
        while self._open:
            opened, quotes, hides = self._open.pop()
            if quotes:
                self._end_line()
            self._quoted -= quotes
            self._hidden -= hides
            self._pre -= opened == "pre"
            if opened == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._pre:
            first, *others = data.replace("\r\n", "\n").split("\n")
            self._line.append(first)
            for line in others:
                self._end_line()
                self._line.append(line)
            return
        self._line.append(_SPACES.sub(" ", data))

    def _void(self, tag: str, given: dict[str, str]) -> None:
        if tag == "br":
            self._end_line(blank=True)
        elif tag == "hr":
            self._break(tag)
        elif tag == "img" and not self._hidden and (alt := " ".join(given.get("alt", "").split())):
            self._line.append(alt if len(alt) <= 4 else f"[{alt[:100]}]")  # short ones are emoji

    def _show_link(self, address: str, start: int) -> None:
        words = "".join(self._line[start:]).strip()
        plain = re.sub(r"^(?:https?://|mailto:)", "", address).rstrip("/")
        wanted = re.match(r"https?://", address) and len(address) <= 300
        if wanted and words and plain not in words and not self._hidden:
            self._line.append(f" ({address})")

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._end_line()
            if self._lines and self._lines[-1].strip("> "):
                self._lines.append(self._prefix().rstrip())
        elif tag in _BLOCKS:
            self._end_line()
        elif tag in ("td", "th"):
            self._line.append(" ")

    def _end_line(self, *, blank: bool = False) -> None:
        line = "".join(self._line)
        line = line.rstrip() if self._pre else _SPACES.sub(" ", line).strip()
        if line or blank:
            self._lines.append(f"{self._prefix()}{line}".rstrip())
        self._line = []
        self._links = [(address, 0) for address, _ in self._links]

    def _prefix(self) -> str:
        return "> " if self._quoted > 0 else ""
