"""Pictures of the guide: PNG files among the static files, made from the running pages by a browser test.

`COMPTOIR_GUIDE_PICTURES=1 make test ARGS=tests/browser/test_guide_pictures.py` writes all of them.
"""

from dataclasses import dataclass
from functools import cache

from services.orders.backoffice.web.statics import FOLDER

PICTURES = FOLDER / "guide"
_SIZE = slice(16, 24)
"""Place of width and height in a PNG file: its first chunk, IHDR, has them as two 32-bit numbers (RFC 2083)."""


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


def static_name(language: str, name: str) -> str:
    """Return the name of a picture among the static files."""
    return f"guide/{language}/{name}.png"


@cache
def size_of(language: str, name: str) -> Size:
    """Return a picture's size, so that the page does not move when it is loaded. Raises OSError."""
    with (PICTURES / language / f"{name}.png").open("rb") as file:
        numbers = file.read(_SIZE.stop)[_SIZE]
    return Size(int.from_bytes(numbers[:4]), int.from_bytes(numbers[4:]))
