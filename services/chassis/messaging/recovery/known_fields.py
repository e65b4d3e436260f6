"""Fields of all contracts, as far as the explanation of a parked message needs them.

A parked body is one that did not keep to its contract: a field may hold what belongs in another, and its keys may be
anybody's. Only what a contract names, and what fits there, is known not to be a customer's text. Pure.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from contracts.catalogue import CATALOGUE

_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,8})(?:[.,][0-9]{1,9})?")
"""A number sent as text, which is the commonest reason for parking. Telephone numbers have more digits, or begin with
0."""
_READERS: Mapping[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
}
_NARROWING = frozenset({"pattern", "format", "enum", "const"})


class Field:
    """A field's name with what the contracts allow under it, in whichever message it stands."""

    def __init__(self) -> None:
        self._schemas: list[Mapping[str, Any]] = []

    def add(self, schema: Mapping[str, Any]) -> None:
        """Add what one contract allows; references are resolved."""
        self._schemas.append(schema)

    def is_free_text(self) -> bool:
        """Return whether any text may stand there."""
        return any(one.get("type") == "string" and not _NARROWING & one.keys() for one in self._schemas)

    def allows(self, text: str) -> bool:
        """Return whether a contract allows this very text, or it is a number as text."""
        return _NUMBER.fullmatch(text) is not None or any(_allows(one, text) for one in self._schemas)

    def is_number(self) -> bool:
        """Return whether a number or a truth value may stand there."""
        return any(one.get("type") in ("integer", "number", "boolean") for one in self._schemas)


def _allows(schema: Mapping[str, Any], text: str) -> bool:
    if "const" in schema or "enum" in schema:
        return text in (*schema.get("enum", ()), schema.get("const"))
    if schema.get("type") != "string":
        return False
    if "pattern" in schema and re.search(schema["pattern"], text) is None:
        return False
    if "format" not in schema:
        return True
    try:
        _READERS[schema["format"]](text)
    except (KeyError, ValueError):
        return False
    return True


def known_fields(message_type: str | None = None) -> Mapping[str, Field]:
    """Return the fields of a message by name, wherever in it they stand, or of all if its type is unknown."""
    return _fields_of(message_type if message_type in CATALOGUE else None)


@cache
def _fields_of(known_type: str | None) -> Mapping[str, Field]:
    entry = CATALOGUE[known_type] if known_type else None
    fields: defaultdict[str, Field] = defaultdict(Field)
    for one in (entry,) if entry else CATALOGUE.values():
        schema = one.message.model_json_schema()
        definitions = schema.get("$defs", {})
        for part in (schema, *definitions.values()):
            for name, allowed in part.get("properties", {}).items():
                _add(fields[name], allowed, definitions)
    return dict(fields)


def _add(field: Field, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> None:
    """Add the alternatives of a schema; a list's items are alternatives too, since they have no name of their own."""
    if reference := schema.get("$ref"):
        _add(field, definitions[reference.rpartition("/")[2]], definitions)
        return
    field.add(schema)
    for part in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(part, ()):
            _add(field, one, definitions)
    for part in ("items", "additionalProperties"):
        if isinstance(one := schema.get(part), Mapping):
            _add(field, one, definitions)
