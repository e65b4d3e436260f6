"""The eight colours of tags and labels, each with its shades for light and dark pages.

Invariant: text on its own background has a contrast of at least 4.5 : 1 (WCAG 2.2, 1.4.3) in either theme; a
test computes it. Colour is never the only carrier of information: tags and labels always show their text too.
"""

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """A colour by name; what it looks like is `SHADES`."""

    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    OCHRE = "ochre"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    PURPLE = "purple"


@dataclass(frozen=True, slots=True)
class Shade:
    """Text and background as sRGB, #rrggbb."""

    text: str
    background: str


LIGHT: dict[Colour, Shade] = {
    Colour.GREY: Shade("#3d434b", "#e8e9eb"),
    Colour.RED: Shade("#8f1d1d", "#fbe3e1"),
    Colour.ORANGE: Shade("#86380a", "#fde6d3"),
    Colour.OCHRE: Shade("#664800", "#f8ebc3"),
    Colour.GREEN: Shade("#1d5b2a", "#dff1df"),
    Colour.TEAL: Shade("#0b5850", "#d7f0ec"),
    Colour.BLUE: Shade("#1b4a86", "#dfeafa"),
    Colour.PURPLE: Shade("#5b2d8c", "#eee4f9"),
}
DARK: dict[Colour, Shade] = {
    Colour.GREY: Shade("#d3d6da", "#3a3f46"),
    Colour.RED: Shade("#f9b4ae", "#5a2321"),
    Colour.ORANGE: Shade("#f8bd8f", "#57301a"),
    Colour.OCHRE: Shade("#efcf76", "#483708"),
    Colour.GREEN: Shade("#a8dcab", "#204327"),
    Colour.TEAL: Shade("#95d9cf", "#13423d"),
    Colour.BLUE: Shade("#aecbf5", "#22395b"),
    Colour.PURPLE: Shade("#d5bcf3", "#422963"),
}
NAMES: dict[Colour, dict[str, str]] = {
    Colour.GREY: {"fr": "gris", "en": "grey"},
    Colour.RED: {"fr": "rouge", "en": "red"},
    Colour.ORANGE: {"fr": "orange", "en": "orange"},
    Colour.OCHRE: {"fr": "ocre", "en": "ochre"},
    Colour.GREEN: {"fr": "vert", "en": "green"},
    Colour.TEAL: {"fr": "turquoise", "en": "teal"},
    Colour.BLUE: {"fr": "bleu", "en": "blue"},
    Colour.PURPLE: {"fr": "violet", "en": "purple"},
}


def contrast(shade: Shade) -> float:
    """Return the contrast ratio of a shade's text and background, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(shade.text), _luminance(shade.background)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
