"""Whether a JSON Schema of a message may replace an earlier one within the same major version.

Two things must hold: every message that was valid stays valid, so that what is stored, in flight or sent by
a storefront of last year can still be read; and every field that could be sent is still there with its
meaning. New optional fields, wider limits and new enum members are fine. What can't be judged counts as
incompatible: the keywords that pydantic writes are understood, any other that changed is reported as such.
"""

from collections.abc import Iterator
from math import inf
from typing import Any

Schema = dict[str, Any]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "deprecated", "discriminator"}
)
_LOWER = {"minimum": -inf, "minLength": 0, "minItems": 0, "minProperties": 0, "exclusiveMinimum": -inf}
_UPPER = {"maximum": inf, "maxLength": inf, "maxItems": inf, "maxProperties": inf, "exclusiveMaximum": inf}
_JUDGED = frozenset(
    {"anyOf", "oneOf", "type", "enum", "const", "default"}
    | {"properties", "required", "additionalProperties", "propertyNames", "items", "pattern", "format"}
    | _LOWER.keys()
    | _UPPER.keys()
)


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """Return what of `old` no longer holds in `new`: a sentence each, with the field's path. Empty: compatible.

    Both are whole documents; `$ref`s are resolved inside their own.
    """
    return list(_Comparison(old, new).differences(old, new, ""))


class SchemaBeyondJudgement(ValueError):
    """A document whose references or combinations this comparison does not understand."""


class _Comparison:
    """One comparison of two documents; remembers which pairs are under way, so recursive schemas end."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.old, self.new = old, new
        self.under_way: set[tuple[int, int]] = set()

    def differences(self, old: Any, new: Any, path: str) -> Iterator[str]:
        pair = (id(old), id(new))
        if pair in self.under_way:
            return
        self.under_way.add(pair)
        alternatives = _alternatives(new, self.new)
        for wanted in _alternatives(old, self.old):
            yield from self._best(wanted, alternatives, path)
        yield from _default_changed(old, new, path)
        self.under_way.discard(pair)

    def _best(self, wanted: Schema, alternatives: list[Schema], path: str) -> list[str]:
        """Return the fewest differences to any alternative, those of the same type first."""
        found = [list(self._one(wanted, offered, path)) for offered in alternatives]
        same_type = [
            differences
            for differences, offered in zip(found, alternatives, strict=True)
            if not _type_refused(wanted, offered)
        ]
        if not same_type:
            return [f"{_at(path)}: {_type_name(wanted)} is no longer accepted"]
        return min(same_type, key=len)

    def _one(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        yield from _members_removed(old, new, path)
        yield from _limits_narrowed(old, new, path)
        yield from _texts_narrowed(old, new, path)
        yield from _unjudged(old, new, path)
        yield from self._fields(old, new, path)
        for keyword, inner in (("items", f"{path}[]"), ("additionalProperties", f"{path}.*")):
            yield from self._inner(old.get(keyword, True), new.get(keyword, True), inner)
        yield from self._inner(
            old.get("propertyNames", True), new.get("propertyNames", True), f"{path}.<key>"
        )

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() - after.keys()):
            yield f"{path}.{name}".lstrip(".") + ": the field was removed or renamed"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{path}.{name}".lstrip(".") + ": the field is newly required"
        named_before = old.get("additionalProperties", True)
        for name in sorted(after.keys() - before.keys() if isinstance(named_before, dict) else ()):
            yield from self.differences(named_before, after[name], f"{path}.{name}".lstrip("."))
        for name in sorted(before.keys() & after.keys()):
            yield from self.differences(before[name], after[name], f"{path}.{name}".lstrip("."))

    def _inner(self, old: Any, new: Any, path: str) -> Iterator[str]:
        if new in (True, {}) or old is False:
            return
        if new is False or old in (True, {}):
            yield f"{_at(path)}: what was free is now restricted"
            return
        yield from self.differences(old, new, path.lstrip("."))


def _alternatives(schema: Any, document: Schema) -> list[Schema]:
    """Return a schema as the list of plain schemas of which one must hold: references and unions resolved."""
    schema = _merged(schema, document)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            rest = {name: value for name, value in schema.items() if name != keyword}
            return [
                plain
                for branch in schema[keyword]
                for plain in _alternatives(_both(_merged(branch, document), rest), document)
            ]
    types = schema.get("type")
    return [{**schema, "type": one} for one in types] if isinstance(types, list) else [schema]


def _merged(schema: Any, document: Schema) -> Schema:
    """Return a schema with its `$ref` resolved."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    followed: list[str] = []
    while "$ref" in schema:
        if schema["$ref"] in followed:
            raise SchemaBeyondJudgement(f"the reference {schema['$ref']} leads back to itself")
        followed.append(schema["$ref"])
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        schema = _both(_resolved(followed[-1], document), rest)
    return dict(schema)


def _both(schema: Schema, other: Schema) -> Schema:
    """Return two schemas that must both hold as one."""
    clashing = {name for name in schema.keys() & other.keys() - _ANNOTATIONS if schema[name] != other[name]}
    if clashing - {"default"}:
        raise SchemaBeyondJudgement(f"{sorted(clashing)} occur twice, beside a reference and in its target")
    return {**schema, **other}


def _resolved(reference: str, document: Schema) -> Schema:
    if not reference.startswith("#/"):
        raise SchemaBeyondJudgement(f"the reference {reference} points outside its document")
    target: Any = document
    for step in reference[2:].split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return dict(target)


def _type_refused(old: Schema, new: Schema) -> bool:
    wanted, offered = old.get("type"), new.get("type")
    return offered is not None and wanted != offered and (wanted, offered) != ("integer", "number")


def _members(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _members_removed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before, after = _members(old), _members(new)
    if after is None:
        return
    if before is None:
        yield f"{_at(path)}: only {after} are still accepted"
        return
    for gone in (member for member in before if member not in after):
        yield f"{_at(path)}: the value {gone!r} was removed"


def _limits_narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for keyword, none in _LOWER.items():
        if new.get(keyword, none) > old.get(keyword, none):
            yield f"{_at(path)}: {keyword} rose from {old.get(keyword, 'none')} to {new[keyword]}"
    for keyword, none in _UPPER.items():
        if new.get(keyword, none) < old.get(keyword, none):
            yield f"{_at(path)}: {keyword} fell from {old.get(keyword, 'none')} to {new[keyword]}"


def _texts_narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for keyword in ("pattern", "format"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{_at(path)}: {keyword} changed from {old.get(keyword, 'none')} to {new[keyword]}"


def _unjudged(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _JUDGED):
        if new.get(keyword) != old.get(keyword):
            yield f"{_at(path)}: {keyword} changed and can't be judged"


def _default_changed(old: Any, new: Any, path: str) -> Iterator[str]:
    """Yield a changed default: a message that leaves the field out would come to mean something else."""
    if not isinstance(old, dict) or not isinstance(new, dict) or not {"default"} <= old.keys() & new.keys():
        return
    if old["default"] != new["default"]:
        yield f"{_at(path)}: the default changed from {old['default']!r} to {new['default']!r}"


def _type_name(schema: Schema) -> str:
    return str(schema.get("type", "any value"))


def _at(path: str) -> str:
    return path.lstrip(".") or "the message"
