"""Program that makes PDFs: requests on its standard input, answers on its standard output, one by one.

It is a program of its own since Typst with its fonts and the reading of PDFs take more memory than the whole
service does at rest; it runs while there is something to do. It has no settings, no network and no database.
"""

import base64
import json
import sys
from collections.abc import Sequence
from io import BytesIO
from typing import Any, BinaryIO

import pypdf

from services.payments.invoices.document import Content
from services.payments.invoices.rendering.pdf import check_logo, pdf_of

LENGTH_BYTES = 4
DONE, FAILED = b"\x01", b"\x00"


def main() -> None:
    """Answer requests until the input ends."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (request := _read(source)) is not None:
        status, answer = _answer(json.loads(request))
        target.write(status + len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        target.flush()


def _read(source: BinaryIO) -> bytes | None:
    length = source.read(LENGTH_BYTES)
    return source.read(int.from_bytes(length, "big")) if len(length) == LENGTH_BYTES else None


def _answer(request: dict[str, Any]) -> tuple[bytes, bytes]:
    try:
        if "merge" in request:
            return DONE, merged([base64.b64decode(one) for one in request["merge"]])
        if "check_logo" in request:
            check_logo(base64.b64decode(request["check_logo"]))
            return DONE, b""
        logo = base64.b64decode(request["logo"]) if request.get("logo") else None
        return DONE, pdf_of(Content.model_validate(request["content"]), logo)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent decides and the next request is served
        return FAILED, f"{type(error).__name__}: {error}"[:2000].encode()


def merged(files: Sequence[bytes]) -> bytes:
    """Return the pages of several PDFs as one, to be printed together."""
    writer = pypdf.PdfWriter()
    for one in files:
        writer.append(BytesIO(one), import_outline=False)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


if __name__ == "__main__":
    main()
