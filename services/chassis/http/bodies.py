"""Bodies of requests: how large they may be, and reading one as a JSON object."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.types import Message, Receive

from services.chassis.http.problems import Problem

LARGEST_BODY_BYTES = 256 * 1024
"""More than any request needs: 5,000 message ids have 200,000 bytes."""
_NAMES = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
"""JSON's names for values that are not an object."""


def refuse_large(body_bytes: int) -> None:
    """Raise the 413 problem when a body is larger than any request needs to be."""
    if body_bytes > LARGEST_BODY_BYTES:
        detail = (
            f"A body may have {LARGEST_BODY_BYTES} bytes; split the request, such as stock into fewer levels."
        )
        raise Problem(413, "body_too_large", detail, headers={"Connection": "close"})


def declared_bytes(headers: Mapping[str, str]) -> int:
    """Return the length that a request declares for its body; 0 when it declares none."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def limited(receive: Receive) -> Receive:
    """Return `receive` with the body counted as it arrives: the declared length is not trusted."""
    seen_bytes = 0

    async def counting() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        refuse_large(seen_bytes)
        return message

    return counting


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one for no body at all. Raises the 422 problem for anything else:
    taken as empty, a request would run without the limits that it names.
    """
    try:
        body = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError) as error:
        detail = f"The body is not readable JSON ({type(error).__name__}); send a JSON object, or no body."
        raise Problem(422, "request_invalid", detail) from None
    if not isinstance(body, dict):
        detail = f"The body is a JSON {_NAMES[type(body)]}; send a JSON object, or no body."
        raise Problem(422, "request_invalid", detail)
    return body
