"""A logo is a picture and nothing else."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.profile.picture import LARGEST_BYTES, PictureUnusable, checked

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def a_png(width: int = 3, height: int = 2, extra: bytes = b"", rows: bytes | None = None) -> bytes:
    rows = rows if rows is not None else (b"\x00" + b"\x10\x20\x30" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def a_jpeg(comment: bytes = b"") -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        return bytes((0xFF, kind)) + struct.pack(">H", len(body) + 2) + body

    frame = struct.pack(">BHHB", 8, 2, 3, 1) + b"\x01\x11\x00"
    output = block(0xFE, comment) if comment else b""
    return (
        b"\xff\xd8"
        + block(0xE0, b"JFIF\0")
        + output
        + block(0xC0, frame)
        + block(0xDA, b"\x01\x01\x00\x00\x3f\x00")
        + b"\x12\xff\xd9"
    )


def test_only_what_draws_the_picture_is_kept() -> None:
    secret = b"taken in the owner's living room"
    kept = checked(a_png(extra=chunk(b"tEXt", secret)) + b"<script>")
    assert kept == a_png()
    kept = checked(a_jpeg(secret) + b"<script>")
    assert secret not in kept
    assert kept.endswith(b"\xff\xd9")
    assert checked(kept) == kept


@pytest.mark.parametrize(("content", "why"), [
    (b"<svg onload=alert(1)>", "neither"), (b"", "neither"), (b"GIF89a", "neither"),
    (a_png()[:-20], "cut off"), (a_jpeg()[:20], "cut off"),
    (a_png().replace(b"IDAT", b"IDAx"), "checksum"),
    (a_png(rows=b"\0" * 9_000_000), "bytes of pixels"), (a_png(rows=b"\0"), "bytes of pixels"),
    (a_png(width=60_000, rows=b""), "60000 × 2"), (b"\x89PNG\r\n\x1a\n" + b"\0" * LARGEST_BYTES, "at most"),
])  # fmt: skip
def test_anything_else_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(PictureUnusable, match=why):
        checked(content)


@given(st.binary(max_size=80), st.sampled_from([PNG, b"\xff\xd8\xff", PNG + a_png()[8:33]]))
def test_any_bytes_are_a_picture_or_refused(content: bytes, start: bytes) -> None:
    try:
        kept = checked(start + content)
    except PictureUnusable:
        return
    assert checked(kept) == kept
