"""Faults of settings as sentences that name the setting, down to the field of an entry in a JSON list.

The words are those of `schema_faults.py`; here are those that a variable needs, whose text is not JSON. Of
the values only numbers are repeated: any other one may be a secret.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.chassis.faults.schema_faults import Problem, sentence

_KEY = "[key]"
"""Last step of pydantic's path to a key of an object that is itself invalid."""
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "must be a text",
    "path_type": "must be a path",
    "int_parsing": "must be a whole number, such as 3",
    "int_parsing_size": "must be a whole number, such as 3",
    "int_type": "must be a whole number, such as 3",
    "int_from_float": "must be a whole number, such as 3",
    "float_parsing": "must be a number, such as 1.5",
    "float_type": "must be a number, such as 1.5",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "list_type": "must be a JSON list",
    "tuple_type": "must be a JSON list",
    "set_type": "must be a JSON list",
    "frozen_set_type": "must be a JSON list",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
}
_FORMS = {
    "log_level": "must be DEBUG, INFO, WARNING or ERROR",
    "brand_colour": "must be a colour of # and six digits 0-9 or letters a-f, such as #0f625b",
    "slug": "must be 8 to 64 letters, digits, hyphens and underscores",
    "name": "must be one line; letters, digits, dots and hyphens for the name of a token",
    "shop": "must be the shop's name of 1 to 63 lower-case letters, digits and hyphens",
    "default_locale": "must be a language such as fr or fr-FR",
    "inbound_domain": "must be a domain, such as mail.example.org",
    "inbound_authserv_id": "must be a host name, such as mail.example.org",
    "smtp_hello_name": "must be a host name, such as mail.example.org",
}
"""The required form, by field name, where the model gives it as a pattern."""


def setting_fault(kind: type[BaseModel], problem: Problem, called: Callable[[str], str]) -> str:
    """Return what is wrong with a setting of `kind`, without a full stop; `called` is the name that its reader knows
    it by."""
    location = problem["loc"]
    if not location:
        return _own_words(problem)
    if location[-1] == _KEY:
        return f"{_path(location[:-2], called)}: the key {_shown(location[-2])} {_words(kind, problem)}"
    path = _path(location, called)
    if problem["type"] in ("value_error", "assertion_error"):
        return f"{path}: {_own_words(problem)}"
    return f"{path} {_words(kind, problem)}"


def meaning_of(kind: type[BaseModel], path: tuple[int | str, ...]) -> str | None:
    """Return the description of a setting, or of the field of an entry in it."""
    names = [step for step in path if isinstance(step, str)]
    field = _field(kind, names) if names else None
    return field.description if field is not None else None


def _words(kind: type[BaseModel], problem: Problem) -> str:
    fault, given = problem["type"], problem["input"]
    if fault in _WORDS:
        return _WORDS[fault]
    if fault == "extra_forbidden":
        return _unknown(kind, problem["loc"])
    if fault == "string_pattern_mismatch":
        return _form(problem)
    if fault in ("string_too_short", "too_short"):
        least = problem["ctx"]["min_length"]
        parts = "character" if isinstance(given, str) else "entry"
        if least == 1:
            return "is empty" if parts == "character" else "has no entry; give at least one"
        return (
            f"is too short: at least {least:,} characters are needed"
            if parts == "character"
            else (f"has too few entries: at least {least:,} are needed")
        )
    if fault in ("string_too_long", "too_long") and isinstance(given, str):
        return f"is too long: at most {problem['ctx']['max_length']:,} characters are allowed"
    path = next((step for step in reversed(problem["loc"]) if isinstance(step, str)), "")
    written = sentence({**problem, "loc": ("setting",), "input": _number(given)})
    return written.removeprefix("setting ").removesuffix(".") if path else written


def _unknown(kind: type[BaseModel], path: tuple[int | str, ...]) -> str:
    *outer, name = (step for step in path if isinstance(step, str))
    field = _field(kind, outer) if outer else None
    models = list(_models(field.annotation)) if field is not None else [kind]
    known = sorted({one for model in models for one in model.model_fields})
    near = get_close_matches(name.lower(), known, n=1)
    return f"is unknown; did you mean {near[0]}?" if near else f"is unknown; known are {', '.join(known)}"


def _form(problem: Problem) -> str:
    name = next((step for step in reversed(problem["loc"]) if isinstance(step, str)), "")
    if name in _FORMS:
        return _FORMS[name]
    if name.endswith("_url"):
        return "must be an address such as https://host:port, without a path"
    if problem["ctx"]["pattern"].startswith("^[^"):
        return "must be one line"
    return f"must have the form {problem['ctx']['pattern']}"


def _own_words(problem: Problem) -> str:
    return str(problem["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _number(given: Any) -> Any:
    """Return the number that a variable's text is, else what was given."""
    try:
        return json.loads(given) if isinstance(given, str) else given
    except ValueError:
        return given


def _path(path: tuple[int | str, ...], called: Callable[[str], str]) -> str:
    first, *steps = path
    return called(str(first)) + "".join(
        f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in steps
    )


def _shown(key: int | str) -> str:
    text = str(key)
    return text if _PLAIN_KEY.fullmatch(text) else json.dumps(text[:60])


def _field(kind: type[BaseModel], names: list[str]) -> FieldInfo | None:
    """Return the field at the end of a path of names, without the numbers of entries."""
    models, field = [kind], None
    for name in names:
        field = next((one.model_fields[name] for one in models if name in one.model_fields), None)
        if field is None:
            return None
        models = list(_models(field.annotation))
    return field


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a type such as `list[Model] | None`."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
