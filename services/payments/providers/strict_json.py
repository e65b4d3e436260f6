"""Strict parsing of untrusted JSON: one meaning per document, no floats, bounded depth. Pure.

A repeated key is rejected, since two readers may each use a different one of the two; a number with a point
becomes a Decimal; NaN and Infinity are not JSON.
"""

import json
from decimal import Decimal
from typing import Any

MAX_DEPTH = 32


class JsonRefused(ValueError):
    """The bytes are not JSON in the strict sense, or nested too deeply."""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in these UTF-8 bytes. Raises JsonRefused, never anything else."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_float=Decimal,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise JsonRefused(f"nested more than {MAX_DEPTH} deep") from None
    except JsonRefused:
        raise
    except ValueError as error:
        raise JsonRefused(f"not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise JsonRefused(f"a JSON object is needed, not {type(value).__name__}")
    _check_depth(value)
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise JsonRefused(f"duplicate key {repeated[:80]!r} in one object")
    return found


def _no_constant(name: str) -> None:
    raise JsonRefused(f"{name} is not JSON")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise JsonRefused(f"nested more than {MAX_DEPTH} deep")
