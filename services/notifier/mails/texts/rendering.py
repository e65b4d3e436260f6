"""Rendering of a shop's text with an order's values: as HTML, every character escaped, and as plain text."""

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from services.notifier.mails.texts.syntax import Block, Line, parsed, target_of

_PARAGRAPH = '<p style="margin:0 0 12px">'
_LIST = '<ul style="margin:0 0 12px;padding-left:20px">'
_UNBROKEN = frozenset(
    {
        *("order_code", "order_total", "refund_amount", "document_number", "document_amount"),
        *("payment_amount", "dispute_amount"),
    }
)
"""Values that stay on one line."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text with its values filled in."""

    html: Markup
    text: str


NOTHING = Written(Markup(), "")


def written(text: str, values: Mapping[str, str], colour: str) -> Written:
    """Return a text as HTML and as plain text; its links have this colour. Raises TextDamaged, KeyError."""
    blocks = parsed(text)
    html = "\n".join(_html(block, values, colour) for block in blocks)
    plain = "\n\n".join(_plain(block, values) for block in blocks)
    return Written(Markup(html), plain)  # every text and value was escaped piece by piece


def _html(block: Block, values: Mapping[str, str], colour: str) -> str:
    lines = [_line_html(line, values, colour) for line in block.lines]
    if block.is_list:
        return f"{_LIST}{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
    return f"{_PARAGRAPH}{'<br>'.join(lines)}</p>"


def _line_html(line: Line, values: Mapping[str, str], colour: str) -> str:
    pieces, is_bold = list[str](), False
    for token in line:
        if token.kind == "bold":
            is_bold = not is_bold
            pieces.append("<strong>" if is_bold else "</strong>")
        elif token.kind == "value":
            pieces.append(_value_html(token.text, values[token.text]))
        elif token.kind == "link" and (target := target_of(token, values)):
            style = f' style="color:{escape(colour)}"'
            pieces.append(f'<a class="link" href="{escape(target)}"{style}>{escape(token.text)}</a>')
        else:
            pieces.append(str(escape(token.text)))
    return "".join(pieces)


def _value_html(name: str, value: str) -> str:
    if name in _UNBROKEN:
        return f'<span style="white-space:nowrap">{escape(value)}</span>'
    return f"<bdi>{escape(value)}</bdi>"


def _plain(block: Block, values: Mapping[str, str]) -> str:
    lines = [_line_plain(line, values) for line in block.lines]
    return "\n".join(f"- {line}" for line in lines) if block.is_list else "\n".join(lines)


def _line_plain(line: Line, values: Mapping[str, str]) -> str:
    pieces = list[str]()
    for token in line:
        if token.kind == "value":
            pieces.append(values[token.text])
        elif token.kind == "link" and (target := target_of(token, values)):
            pieces.append(target if target == token.text else f"{token.text} ({target})")
        elif token.kind != "bold":
            pieces.append(token.text)
    return "".join(pieces)
