"""Syntax of the texts that staff write: `{{ customer_name }}`, `**bold**`, `- ` lists and http(s) links. No logic.

A text is parsed before any value is filled in, so a value is printed as it is: a customer named `{{ x }}<b>` reads so.
Everything that is not this syntax is plain text.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

_INLINE = re.compile(
    r"\{\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*\}\}"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<target>[^()\n]*)\)"
    r"|(?P<url>https?://[^\s<>\"'`{}|\\^\[\]()]*[^\s<>\"'`{}|\\^\[\]().,;:!?])"
    r"|(?P<bold>\*\*)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_TARGET = re.compile(r"https?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_BULLET = "- "


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason why a text cannot be used. `line` counts from 1; `found` is what was found there; `nearest` the
    placeholder that was probably meant.
    """

    code: str
    line: int
    found: str = ""
    nearest: str = ""

    @property
    def message(self) -> str:
        """Return the reason as a sentence that names the line, what is wrong and what to do."""
        texts = {
            "placeholder_unknown": f"line {self.line}: {{{{ {self.found} }}}} is unknown"
            + (f"; {self.nearest}?" if self.nearest else "; choose one of the list"),
            "placeholder_unclosed": f"line {self.line}: {self.found!r} is not closed; write {{{{ name }}}}",
            "link_unusable": f"line {self.line}: {self.found!r} is not an address; begin it with https://",
            "subject_lines": f"line {self.line}: a subject is one line; join {self.found!r} to the first",
            "text_blank": "the subject is blank; write at least one word",
            "part_too_long": f"the text has {self.found} characters; shorten it to {self.nearest}",
            "text_unusable": f"the text fails with a sample order: {self.found}; change it",
        }
        return texts[self.code][:900]


class TextDamaged(ValueError):
    """A text cannot be rendered; `problems` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems)[:900])
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: `text`, `value` (a placeholder), `link` (with its `target`), or `bold` (on or off)."""

    kind: str
    text: str = ""
    target: str = ""


Line = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of lines, or a list of entries."""

    is_list: bool
    lines: tuple[Line, ...]


def problems_of(text: str, allowed: Collection[str]) -> list[Problem]:
    """Return everything that is wrong with a text, line by line."""
    found = [problem for number, line in _numbered(text) for problem in _line_problems(line, number, allowed)]
    return found[:20]


@lru_cache(maxsize=1024)
def parsed(text: str) -> tuple[Block, ...]:
    """Return a text's paragraphs and lists. Raises TextDamaged for a placeholder that is not closed."""
    if damaged := [one for number, line in _numbered(text) for one in _line_problems(line, number, None)]:
        raise TextDamaged(damaged)
    blocks, lines, is_list = [], list[Line](), False
    for _, line in [*_numbered(text), (0, "")]:
        bullet = line.startswith(_BULLET)
        if lines and (not line.strip() or bullet != is_list):
            blocks.append(Block(is_list, tuple(lines)))
            lines = []
        if line.strip():
            is_list = bullet
            lines.append(_tokens(line.removeprefix(_BULLET).strip() if bullet else line.strip()))
    return tuple(blocks)


def names_in(text: str) -> list[str]:
    """Return the placeholders of a text in their order."""
    return _PLACEHOLDER.findall(text)


def filled(line: str, values: Mapping[str, str]) -> str:
    """Return one line with its placeholders filled in and nothing else interpreted: a subject. Raises TextDamaged."""
    if damaged := list(_line_problems(line, 1, values)):
        raise TextDamaged(damaged)
    return _PLACEHOLDER.sub(lambda found: values[found[1]], line)


def target_of(token: Token, values: Mapping[str, str]) -> str:
    """Return where a link leads; empty when its placeholder has no http(s) address now."""
    name = _PLACEHOLDER.fullmatch(token.target.strip())
    target = values[name[1]] if name else token.target.strip()
    return target if _TARGET.fullmatch(target) else ""


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(re.split("\r\n|[\n\r\x85\u2028\u2029]", text), start=1)


def _line_problems(line: str, number: int, allowed: Collection[str] | None) -> Iterator[Problem]:
    """Yield what is wrong in a line; `allowed` None: any name is good."""
    for name in _PLACEHOLDER.findall(line):
        if allowed is not None and name not in allowed:
            near = get_close_matches(name.lower(), sorted(allowed), n=1, cutoff=0.5)
            yield Problem("placeholder_unknown", number, name[:80], near[0] if near else "")
    rest = _PLACEHOLDER.sub("", line)
    for mark in ("{{", "}}"):
        if mark in rest:
            yield Problem("placeholder_unclosed", number, rest[rest.index(mark) :][:40])
            break
    for found in re.finditer(r"\[[^\[\]\n]+\]\(([^()\n]*)\)", line):
        target = found[1].strip()
        if not _TARGET.fullmatch(target) and not _PLACEHOLDER.fullmatch(target):
            yield Problem("link_unusable", number, target[:80])


def _tokens(line: str) -> Line:
    tokens, at, is_bold = list[Token](), 0, line.count("**") >= 2
    marks = line.count("**") // 2 * 2
    for found in _INLINE.finditer(line):
        if found.lastgroup == "bold" and (not is_bold or marks == 0):
            continue
        if found.start() > at:
            tokens.append(Token("text", line[at : found.start()]))
        at = found.end()
        marks -= found.lastgroup == "bold"
        tokens.append(_token(found))
    if at < len(line):
        tokens.append(Token("text", line[at:]))
    return tuple(tokens)


def _token(match: re.Match[str]) -> Token:
    if match["name"]:
        return Token("value", match["name"])
    if match["label"]:
        return Token("link", match["label"].strip() or match["target"], match["target"])
    if match["url"]:
        return Token("link", match["url"], match["url"])
    return Token("bold")
