"""A logo as shops have them: dark, on a transparent ground, wider than mails show it."""

import base64
import struct
import zlib

WIDTH, HEIGHT = 600, 150


def _pixel(x: int, y: int) -> bytes:
    """A disc, and three bars beside it."""
    is_disc = (x - 75) ** 2 + (y - 75) ** 2 < 60**2
    is_bar = x > 170 and y // 30 in (1, 3) and x < 560 - 4 * y
    return b"\x2a\x1f\x3d\xff" if is_disc or is_bar else b"\0\0\0\0"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png() -> bytes:
    rows = b"".join(b"\0" + b"".join(_pixel(x, y) for x in range(WIDTH)) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6, 0, 0, 0)
    chunks = _chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


LOGO = base64.b64encode(_png()).decode()
"""In base64, as `ShopProfile` holds it."""
