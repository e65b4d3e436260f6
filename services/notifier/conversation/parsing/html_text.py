"""The text of an HTML body: paragraphs, lists, quotations and links as a reader of plain text has them.

The HTML is cleaned first (nh3): what remains is well-formed, without scripts, styles and forms, so that reading it
takes linear time for any input.
"""

import re
from html.parser import HTMLParser

import nh3

_BLOCKS = frozenset(
    {
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "table",
        "tr",
        "pre",
        "section",
        "article",
        "hr",
    }
)
_CLEAN = {"script", "style", "head", "title"}
_KEPT = {*_BLOCKS, "br", "li", "a", "blockquote", "td", "th"}
_SPACES = re.compile(r"[ \t\n\r\f]+")
_DEEPEST = 20


class _Reader(HTMLParser):
    """Reader of cleaned HTML. A quotation's lines begin with `> `."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._pre = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._end_line(may_be_empty=True)
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._line)))
        elif tag in ("td", "th"):
            self._line.append(" ")
        elif tag in _BLOCKS or tag in ("li", "blockquote"):
            self._end_line()
            if tag == "blockquote":
                self._depth += 1
            elif tag == "li":
                self._line.append("- ")
            elif tag == "pre":
                self._pre += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            self._end_link()
        elif tag in _BLOCKS or tag in ("li", "blockquote"):
            self._end_line()
            if tag in ("p", "ul", "ol", "table", "h1", "h2", "h3", "blockquote"):
                self._blank()
            if tag == "blockquote":
                self._depth = max(0, self._depth - 1)
            elif tag == "pre":
                self._pre = max(0, self._pre - 1)

    def handle_data(self, data: str) -> None:
        if self._pre:
            first, *others = data.split("\n")
            self._line.append(first)
            for line in others:
                self._end_line(may_be_empty=True)
                self._line.append(line)
        else:
            self._line.append(_SPACES.sub(" ", data))

    def finish(self) -> str:
        self._end_line()
        return "\n".join(self.lines).strip("\n")

    def _end_link(self) -> None:
        href, begun = self._links.pop()
        shown = "".join(self._line[begun:]).strip() if begun <= len(self._line) else ""
        target = href.strip()
        if target.startswith(("http://", "https://")) and target not in (
            shown,
            shown + "/",
            "http://" + shown,
        ):
            self._line.append(f" <{target}>" if shown else f"<{target}>")

    def _end_line(self, *, may_be_empty: bool = False) -> None:
        line = "".join(self._line)
        line = line if self._pre else _SPACES.sub(" ", line).strip(" ")
        self._line = []
        self._links = [(href, 0) for href, _ in self._links]
        if line.strip() or may_be_empty:
            self.lines.append(self._quoted(line))

    def _blank(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(self._quoted(""))

    def _quoted(self, line: str) -> str:
        marks = "> " * min(self._depth, _DEEPEST)
        return (marks + line).rstrip(" ") if not line else marks + line


def text_of_html(html: str) -> str:
    """Return the text of an HTML body."""
    cleaned = nh3.clean(
        html,
        tags=_KEPT,
        clean_content_tags=_CLEAN,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(cleaned)
    reader.close()
    return reader.finish()
