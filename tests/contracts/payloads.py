"""Messages made up by hypothesis from the models' own types and limits."""

import re
import types
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin
from uuid import UUID

from hypothesis import strategies as st
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from contracts.message import Part

M = TypeVar("M", bound=Part)
TEXT = st.characters(codec="utf-8", exclude_characters="\x00")
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))])


@cache
def messages(model: type[M]) -> st.SearchStrategy[M]:
    """Valid messages of a class, optional fields sometimes left out."""
    required = {name: _field(info) for name, info in model.model_fields.items() if info.is_required()}
    optional = {name: _field(info) for name, info in model.model_fields.items() if not info.is_required()}
    return st.fixed_dictionaries(required, optional=optional).map(model.model_validate)


def _field(info: FieldInfo) -> st.SearchStrategy[Any]:
    return _of(info.annotation, info.metadata)


def _of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of(arguments[0], [*_flat(arguments[1:]), *metadata])
    if origin in (Union, types.UnionType):
        return st.one_of([_of(argument, metadata) for argument in arguments])
    limits = _limits(metadata)
    if origin is list:
        return st.lists(_of(arguments[0], []), min_size=limits.get("min_length", 0), max_size=3)
    if origin is dict:
        return st.dictionaries(_of(arguments[0], []), _of(arguments[1], []), max_size=3)
    return _plain(annotation, limits)


def _plain(kind: Any, limits: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind is str:
        return _texts(limits)
    if kind is int:
        highest = limits["lt"] - 1 if "lt" in limits else limits.get("le", 2**53)
        return st.integers(limits.get("ge", -(2**53)), highest)
    if kind is AwareDatetime or kind is datetime:
        return st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=ZONES)  # noqa: DTZ001
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    if issubclass(kind, Part):
        return messages(kind)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        UUID: st.uuids(),
        date: st.dates(),
        type(None): st.none(),
    }
    return simple[kind]


def _texts(limits: dict[str, Any]) -> st.SearchStrategy[str]:
    low, high = limits.get("min_length", 0), limits.get("max_length", 60)
    if "pattern" not in limits:
        return st.text(TEXT, min_size=low, max_size=high)
    at_the_very_end = re.compile(re.sub(r"\$$", r"\\Z", limits["pattern"]))
    return st.from_regex(at_the_very_end, alphabet=TEXT).filter(lambda text: low <= len(text) <= high)


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    """A `Field(…)` inside an annotation holds its limits in a list of its own."""
    return [
        limit for item in metadata for limit in (item.metadata if isinstance(item, FieldInfo) else [item])
    ]


def _limits(metadata: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in metadata:
        for name in ("ge", "le", "lt", "min_length", "max_length", "pattern"):
            value = getattr(item, name, None)
            if value is not None:
                found[name] = value
    return found
