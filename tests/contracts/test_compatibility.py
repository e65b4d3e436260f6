"""The comparison of two schemas: planted breaks are named, additions pass, and no verdict is wrong."""

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, SchemaError

from contracts.catalogue import CATALOGUE
from contracts.derived.compatibility import SchemaBeyondJudgement, incompatibilities
from contracts.generate import FOLDER

Schema = dict[str, Any]

OLD: Schema = {
    "$defs": {
        "Method": {"enum": ["card", "cheque"], "type": "string"},
        "Line": {
            "type": "object",
            "properties": {
                "sku": {"type": "string", "minLength": 1, "maxLength": 64},
                "units": {"type": "integer"},
            },
            "required": ["sku"],
        },
        "Branch": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "branches": {"type": "array", "items": {"$ref": "#/$defs/Branch"}},
            },
        },
    },
    "type": "object",
    "properties": {
        "shop": {"type": "string", "pattern": "^[a-z]+$"},
        "amount": {"type": "integer", "minimum": -100, "maximum": 100},
        "rate": {"type": "integer", "default": 0},
        "method": {"$ref": "#/$defs/Method"},
        "note": {"anyOf": [{"type": "string", "maxLength": 20}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "minItems": 1, "maxItems": 9},
        "options": {"type": "object", "additionalProperties": {"type": "string"}},
        "id": {"type": "string", "format": "uuid"},
        "weight": {"type": "number"},
        "tree": {"$ref": "#/$defs/Branch"},
        "anything": {},
    },
    "required": ["shop", "amount"],
}


def changed(path: str, value: Any) -> Schema:
    """OLD with the value at a path (`properties/amount/maximum`) replaced; None removes it."""
    schema = copy.deepcopy(OLD)
    *steps, last = path.split("/")
    node: Any = schema
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is None:
        del node[last]
    else:
        node[int(last) if isinstance(node, list) else last] = value
    return schema


BREAKS = [
    ("properties/amount", None, "amount: the field was removed or renamed"),
    ("$defs/Line/properties/units", None, "lines[].units: the field was removed or renamed"),
    ("required", ["shop", "amount", "note"], "note: the field is newly required"),
    ("$defs/Line/required", ["sku", "units"], "lines[].units: the field is newly required"),
    ("required", ["shop", "amount", "brand_new"], "brand_new: the field is newly required"),
    ("properties/amount/type", "string", "amount: integer is no longer accepted"),
    ("properties/weight/type", "integer", "weight: number is no longer accepted"),
    ("properties/anything", {"type": "string"}, "anything: any value is no longer accepted"),
    ("properties/note", {"type": "string", "maxLength": 20}, "note: null is no longer accepted"),
    ("properties/note/anyOf/0/maxLength", 19, "note: maxLength fell from 20 to 19"),
    ("properties/note/default", "none", "note: the default changed from None to 'none'"),
    ("properties/rate/default", 2000, "rate: the default changed from 0 to 2000"),
    ("$defs/Method/enum", ["card"], "method: the value 'cheque' was removed"),
    ("$defs/Method", {"const": "card", "type": "string"}, "method: the value 'cheque' was removed"),
    ("properties/shop/enum", ["a"], "shop: only ['a'] are still accepted"),
    ("properties/shop/pattern", "^[a-y]+$", "shop: pattern changed from ^[a-z]+$ to ^[a-y]+$"),
    ("properties/amount/minimum", 0, "amount: minimum rose from -100 to 0"),
    ("properties/amount/maximum", 99, "amount: maximum fell from 100 to 99"),
    ("properties/rate/exclusiveMinimum", 0, "rate: exclusiveMinimum rose from none to 0"),
    ("properties/lines/minItems", 2, "lines: minItems rose from 1 to 2"),
    ("properties/lines/maxItems", 8, "lines: maxItems fell from 9 to 8"),
    ("properties/lines/uniqueItems", True, "lines: uniqueItems changed and can't be judged"),
    ("properties/rate/multipleOf", 5, "rate: multipleOf changed and can't be judged"),
    ("properties/rate/not", {"const": 3}, "rate: not changed and can't be judged"),
    ("$defs/Line/properties/sku/minLength", 2, "lines[].sku: minLength rose from 1 to 2"),
    ("$defs/Line/additionalProperties", False, "lines[].*: what was free is now restricted"),
    ("properties/options/additionalProperties/maxLength", 5, "options.*: maxLength fell from none to 5"),
    ("properties/options/additionalProperties", False, "options.*: what was free is now restricted"),
    ("properties/options/propertyNames", {"maxLength": 5}, "options.<key>: what was free is now restricted"),
    (
        "properties/options/properties",
        {"size": {"type": "integer"}},
        "options.size: string is no longer accepted",
    ),
    ("properties/id/format", "email", "id: format changed from uuid to email"),
    ("properties/shop/format", "email", "shop: format changed from none to email"),
]
ADDITIONS = [
    ("properties/brand_new", {"type": "string"}),
    ("$defs/Line/properties/brand_new", {"$ref": "#/$defs/Method"}),
    ("required", ["shop"]),
    ("$defs/Method/enum", ["paypal", "cheque", "card"]),
    ("$defs/Method", {"type": "string"}),
    ("properties/amount/type", "number"),
    ("properties/amount/type", ["integer", "null"]),
    ("properties/amount/maximum", 101),
    ("properties/amount/minimum", None),
    ("properties/lines/minItems", 0),
    ("properties/shop/pattern", None),
    ("properties/id/format", None),
    ("properties/note/anyOf/0/maxLength", None),
    ("properties/options/additionalProperties", True),
    ("properties/options/properties", {"size": {"type": "string"}}),
    ("properties/anything", True),
    ("description", "Said better."),
    ("$defs/Unused", {"type": "string"}),
]


@pytest.mark.parametrize(("path", "value", "says"), BREAKS, ids=[says for *_, says in BREAKS])
def test_a_break_is_named_with_its_field_and_both_values(path: str, value: Any, says: str) -> None:
    assert incompatibilities(OLD, changed(path, value)) == [says]


@pytest.mark.parametrize(("path", "value"), ADDITIONS, ids=[path for path, _ in ADDITIONS])
def test_an_addition_is_none(path: str, value: Any) -> None:
    assert incompatibilities(OLD, changed(path, value)) == []


def test_a_break_in_a_schema_that_holds_itself_is_named_and_the_comparison_ends() -> None:
    assert incompatibilities(OLD, changed("$defs/Branch/properties/name", None)) == [
        "tree.name: the field was removed or renamed",
        "tree.branches[].name: the field was removed or renamed",
    ]


def test_several_breaks_are_all_named() -> None:
    new = changed("properties/amount/maximum", 1)
    del new["properties"]["shop"]
    new["required"] = ["amount", "id"]
    assert incompatibilities(OLD, new) == [
        "shop: the field was removed or renamed",
        "id: the field is newly required",
        "amount: maximum fell from 100 to 1",
    ]


def test_a_renamed_class_with_the_same_fields_is_no_change() -> None:
    text = json.dumps(OLD).replace("Line", "OrderLine").replace("Branch", "Twig")
    assert incompatibilities(OLD, json.loads(text)) == []


def test_a_reference_replaced_by_its_target_is_no_change() -> None:
    inlined = changed("properties/method", OLD["$defs"]["Method"])
    assert incompatibilities(OLD, inlined) == []
    assert incompatibilities(inlined, OLD) == []


def test_a_message_that_becomes_another_kind_of_thing_is_named_as_the_message() -> None:
    assert incompatibilities(OLD, {"type": "array"}) == ["the message: object is no longer accepted"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/Loop", "$defs": {"Loop": {"$ref": "#/$defs/Loop"}}},
        {"$ref": "elsewhere.json"},
        {"$ref": "#/$defs/Short", "maxLength": 9, "$defs": {"Short": {"maxLength": 5}}},
    ],
)
def test_what_the_comparison_does_not_understand_never_passes_silently(schema: Schema) -> None:
    with pytest.raises(SchemaBeyondJudgement):
        incompatibilities(schema, OLD)
    with pytest.raises(SchemaBeyondJudgement):
        incompatibilities(OLD, schema)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_published_schema_is_compatible_with_itself_and_its_breaks_are_found(kind: str) -> None:
    schema = json.loads((FOLDER / "schemas" / f"{kind}.json").read_bytes())
    assert incompatibilities(schema, copy.deepcopy(schema)) == []
    for name in schema["properties"]:
        without = copy.deepcopy(schema)
        del without["properties"][name]
        without["required"] = [field for field in without["required"] if field != name]
        assert incompatibilities(schema, without) == [f"{name}: the field was removed or renamed"]


SMALL = st.integers(0, 4)
TEXTS = st.text("ab", max_size=4)
SCALARS = st.one_of(st.none(), st.booleans(), SMALL, st.just(1.5), TEXTS)
NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def some_of(**keywords: Any) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({}, optional=keywords)


def of_type(name: str, limits: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return limits.map(lambda keywords: {"type": name, **keywords})


LEAVES = st.one_of(
    st.booleans().map(lambda anything: {} if anything else {"type": ["string", "null"]}),
    of_type("string", some_of(minLength=SMALL, maxLength=SMALL, pattern=st.sampled_from(["a", "^b"]))),
    of_type("integer", some_of(minimum=SMALL, maximum=SMALL, exclusiveMinimum=SMALL, exclusiveMaximum=SMALL)),
    of_type("number", some_of(minimum=SMALL, maximum=SMALL, multipleOf=st.sampled_from([1, 2]))),
    st.just({"type": "null"}),
    st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda members: {"enum": members}),
    TEXTS.map(lambda member: {"const": member, "type": "string"}),
    st.just({"$ref": "#/$defs/Shared"}),
)


def deeper(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    objects = some_of(
        properties=st.dictionaries(NAMES, inner, max_size=3),
        required=st.lists(NAMES, max_size=2, unique=True),
        additionalProperties=st.booleans() | inner,
        propertyNames=st.just({"maxLength": 1}),
        minProperties=SMALL,
        maxProperties=SMALL,
    )
    arrays = some_of(items=st.booleans() | inner, minItems=SMALL, maxItems=SMALL, uniqueItems=st.booleans())
    unions = st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
    return st.one_of(of_type("object", objects), of_type("array", arrays), unions)


SCHEMAS = st.recursive(LEAVES, deeper, max_leaves=6)
DOCUMENTS = st.builds(
    lambda schema, shared: {**schema, "$defs": {"Shared": shared}},
    SCHEMAS,
    LEAVES.filter(lambda leaf: "$ref" not in leaf),
)


def nodes(schema: Any) -> list[Any]:
    """Every dictionary and list inside a schema."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    found = [node for value in inner for node in nodes(value)]
    return [schema, *found] if isinstance(schema, dict | list) else found


@st.composite
def edited(draw: st.DrawFn, document: Schema) -> Schema:
    """A document with one or two small changes somewhere inside."""
    new = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        places = [node for node in nodes(new) if isinstance(node, dict) and node is not new.get("$defs")]
        place = draw(st.sampled_from(places))
        names = sorted(place.keys() - {"$defs", "Shared"})
        name = draw(st.sampled_from(names)) if names else ""
        drop = draw(st.booleans())
        if name and drop:
            del place[name]
        elif name and isinstance(place[name], int):
            place[name] = not place[name] if isinstance(place[name], bool) else draw(SMALL)
        else:
            place.update(draw(LEAVES))
    return new


def is_schema(document: Schema) -> bool:
    try:
        Draft202012Validator.check_schema(document)
    except SchemaError:
        return False
    return "$ref" not in document["$defs"]["Shared"]


@given(DOCUMENTS)
def test_every_schema_is_compatible_with_itself(document: Schema) -> None:
    assert incompatibilities(document, copy.deepcopy(document)) == []


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_what_was_valid_stays_valid_whenever_the_verdict_is_compatible(data: st.DataObject) -> None:
    old = data.draw(DOCUMENTS)
    new = data.draw(edited(old))
    assume(is_schema(new))
    try:
        assume(not incompatibilities(old, new))
    except SchemaBeyondJudgement:
        return
    for value in data.draw(st.lists(VALUES, min_size=1, max_size=12)):
        if Draft202012Validator(old).is_valid(value):
            assert Draft202012Validator(new).is_valid(value), value
