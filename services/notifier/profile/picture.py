"""A logo, checked to be a PNG or JPEG picture and nothing else: every block is read, and only what draws it is kept.

Comments, embedded profiles, thumbnails and anything after the picture are dropped, so that no mail carries them.
"""

import struct
import zlib
from struct import unpack

LARGEST_BYTES = 65_000
LARGEST_SIDE = 2000
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2})
_JPEG_KEPT = frozenset({0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD})
_SCAN, _END = 0xDA, 0xD9


class PictureUnusable(ValueError):
    """The file is not a picture that a mail can show."""


def checked(content: bytes) -> bytes:
    """Return the picture without anything that does not draw it. Raises PictureUnusable."""
    if len(content) > LARGEST_BYTES:
        raise PictureUnusable(f"the picture has {len(content)} bytes; send one of at most {LARGEST_BYTES}")
    try:
        if content.startswith(_PNG):
            return _png(content)
        if content.startswith(b"\xff\xd8\xff"):
            return _jpeg(content)
    except (struct.error, IndexError, zlib.error):
        raise PictureUnusable("the picture is cut off or damaged; save it again as PNG or JPEG") from None
    raise PictureUnusable("the file is neither a PNG nor a JPEG picture; save it as one of them")


def _png(content: bytes) -> bytes:
    at, kept, kinds, packed = len(_PNG), [_PNG], list[bytes](), zlib.decompressobj()
    expected = read = 0
    while kinds[-1:] != [b"IEND"]:
        length, kind = unpack(">I4s", content[at : at + 8])
        body, (crc,) = (
            content[at + 8 : at + 8 + length],
            unpack(">I", content[at + 8 + length : at + 12 + length]),
        )
        if zlib.crc32(kind + body) != crc:
            raise PictureUnusable("the picture is damaged: a checksum is wrong; save it again")
        if kind == b"IHDR":
            expected = _scanlines(body)
        elif kind == b"IDAT":
            read += len(packed.decompress(body, expected - read + 1))
        if kind in _PNG_KEPT:
            kept.append(content[at : at + 12 + length])
            kinds.append(kind)
        at += 12 + length
    if kinds[0] != b"IHDR" or kinds.count(b"IHDR") != 1 or read != expected:
        raise PictureUnusable(f"the picture holds {read} bytes of pixels, not {expected}; save it again")
    return b"".join(kept)


def _scanlines(header: bytes) -> int:
    width, height, depth, colour, _, _, interlaced = unpack(">IIBBBBB", header)
    _check_size(width, height)
    if colour not in _CHANNELS or interlaced:
        raise PictureUnusable("the picture is in a rare PNG form; save it as a plain PNG, not interlaced")
    return int(height * (1 + (width * _CHANNELS[colour] * depth + 7) // 8))


def _jpeg(content: bytes) -> bytes:
    at, kept, has_frame = 2, [b"\xff\xd8"], False
    while True:
        marker, kind = content[at], content[at + 1]
        if marker != 0xFF:
            raise PictureUnusable("the picture is damaged; save it again as JPEG")
        (length,) = unpack(">H", content[at + 2 : at + 4])
        block = content[at : at + 2 + length]
        if kind in _START_OF_FRAME:
            height, width = unpack(">HH", block[5:9])
            _check_size(width, height)
            has_frame = True
        if kind == _SCAN:
            end = content.rindex(b"\xff\xd9") if b"\xff\xd9" in content[at:] else -1
            if end < at or not has_frame:
                raise PictureUnusable("the picture is cut off; save it again as JPEG")
            return b"".join([*kept, content[at : end + 2]])
        if kind in _JPEG_KEPT:
            kept.append(block)
        if len(block) != 2 + length or length < 2:
            raise PictureUnusable("the picture is cut off; save it again as JPEG")
        at += 2 + length


def _check_size(width: int, height: int) -> None:
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise PictureUnusable(
            f"the picture has {width} × {height} points; send one of at most {LARGEST_SIDE} × {LARGEST_SIDE}"
        )
