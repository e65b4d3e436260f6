"""Texts of requests: one that must be filled in is refused when nothing of it can be seen, and none may hold what can't
be stored. Every request body is walked.
"""

from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
from annotated_types import MinLen
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from services.orders.api import app
from services.orders.api.erasure_routes import ErasureRequest
from services.orders.order.requests import RequestBody

NAMES = frozenset(("reason", "public_comment", "text", "description"))
"""Fields in which a person writes to people; references and codes have other rules."""
assert app.__name__


def bodies(kind: type[BaseModel] = RequestBody) -> Iterator[type[BaseModel]]:
    """Every kind of request body that the REST API has."""
    for one in kind.__subclasses__():
        yield one
        yield from bodies(one)


def is_needed(field: FieldInfo) -> bool:
    """Whether an empty text is refused."""
    return any(isinstance(one, MinLen) for one in _metadata(field.annotation, field.metadata))


def _metadata(annotation: Any, found: list[Any]) -> Iterator[Any]:
    yield from found
    for one in getattr(annotation, "__metadata__", ()):
        yield from getattr(one, "metadata", ()) or (one,)
    for one in get_args(annotation):
        yield from _metadata(one, [])


KINDS: list[type[BaseModel]] = [*bodies(), ErasureRequest]
FIELDS = sorted(
    {
        (kind.__name__, name): field
        for kind in KINDS
        for name, field in kind.model_fields.items()
        if name in NAMES and is_needed(field)
    }.items(),
    key=lambda one: one[0],
)


def test_the_walk_finds_them() -> None:
    assert {"InvoiceRequest", "CreditRequest", "DeletionRequest", "CommentRequest", "AdjustmentRequest"} <= {
        kind for (kind, _), _ in FIELDS
    }
    assert len(FIELDS) > 10


@pytest.mark.parametrize("blank", [" ", "\u200b", "\ufeff\u2060", "\u3164\n"])
@pytest.mark.parametrize(("place", "field"), FIELDS, ids=[".".join(place) for place, _ in FIELDS])
def test_a_text_that_can_not_be_seen_is_refused(place: tuple[str, str], field: FieldInfo, blank: str) -> None:
    written = TypeAdapter[Any](_annotated(field))
    written.validate_python("Retour")
    with pytest.raises(ValidationError, match="characters that can’t be seen"):
        written.validate_python(blank)


def _annotated(field: FieldInfo) -> Any:
    kind: Any = field.annotation
    for one in field.metadata:
        kind = Annotated[kind, one]
    return kind


Step = int | str


def texts_in(
    schema: dict[str, Any], root: dict[str, Any], place: tuple[Step, ...] = ()
) -> Iterator[tuple[Step, ...]]:
    """The path of every text in values of a JSON schema, the keys of objects with any keys too."""
    if "$ref" in schema:
        yield from texts_in(root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
    if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
        yield place
    for one in schema.get("anyOf", []):
        yield from texts_in(one, root, place)
    for name, one in schema.get("properties", {}).items():
        yield from texts_in(one, root, (*place, name))
    if "items" in schema:
        yield from texts_in(schema["items"], root, (*place, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from texts_in(schema["additionalProperties"], root, (*place, "any"))


def body_with(value: str, place: tuple[Step, ...]) -> Any:
    """A body that has only this text, at a path, and what a tax needs beside its name."""
    beside = {"rate_ppm": 200_000, "tax_minor": 1} if "taxes" in place else {}
    body: Any = {**beside, place[-1]: value} if isinstance(place[-1], str) else [value]
    for step in reversed(place[:-1]):
        body = [body] if isinstance(step, int) else {step: body}
    return body


TEXTS = sorted(
    (kind.__name__, kind, place)
    for kind in KINDS
    for schema in [kind.model_json_schema()]
    for place in texts_in(schema, schema)
)


@pytest.mark.parametrize("unstorable", ["a\u0000b", "a\ud800b"], ids=["nul", "surrogate"])
def test_a_text_that_can_not_be_stored_is_refused_with_its_path(unstorable: str) -> None:
    accepted = []
    for name, kind, place in TEXTS:
        try:
            kind.model_validate(body_with(unstorable, place))
        except ValidationError as refused:
            if place in {one["loc"] for one in refused.errors() if one["type"] != "missing"}:
                continue
        accepted.append((name, place))
    assert accepted == []
    places = {(name, place) for name, _, place in TEXTS}
    assert {("InvoicingRequest", ("settings", "name")), ("LineEdited", ("options", "any"))} <= places
    assert ("EditRequest", ("lines", 0, "taxes", 0, "label")) in places
