"""Schema violations of a message's body, as sentences that name the field, the limit and the remedy.

pydantic finds the faults; its own messages never reach a storefront or a page. `_SENTENCES` has a sentence
per kind of fault and `_FORMS` one per field whose form is a pattern. Of the values sent, only numbers and days
are repeated: any other value may be personal data.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from contracts.message import Reason
from contracts.money import exponent, from_decimal, is_known
from services.chassis.faults.body_faults import fault_of
from services.chassis.texts import BLANK, HALF, NUL

MOST_FAULTS = 50
_STRUCTURED = (
    "the body is a whole CloudEvent (structured mode): send what is in its data as the body, its attributes as headers "
    "that begin with cloudEvents_."
)
_FIELD_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_NUMBER = re.compile(r"[+-]?[0-9][0-9 _]{0,30}([.,][0-9]{1,10})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARAMETERS = frozenset({"query", "path"})
Problem = Mapping[str, Any]
"""One entry of `ValidationError.errors()`."""


def reasons_of(error: ValidationError, body: bytes) -> tuple[Reason, ...]:
    """Return the faults of a body, the first 50 of them, each as a reason `schema_invalid`."""
    problems = error.errors(include_url=False)[:MOST_FAULTS]
    if _is_structured(body):
        return (Reason(code="schema_invalid", message=_STRUCTURED),)
    currency = _currency(body)
    return tuple(
        Reason(
            code="schema_invalid",
            message=sentence(problem, currency)[:1000],
            field=path_of(problem["loc"]) or None,
        )
        for problem in problems
    )


def sentence(problem: Problem, currency: str | None = None) -> str:
    """Return what is wrong and what to send instead; `currency` is the message's, if it has a known one."""
    field, kind = path_of(problem["loc"]) or "the body", problem["type"]
    if kind.startswith("int_"):
        return f"{field} {_integer(problem, currency)}."
    write = _SENTENCES.get(kind)
    return f"{field} {write(problem) if write else 'does not match the schema: compare it with the schema'}."


def sentence_of_request(problem: Problem) -> str:
    """Return what is wrong with a request and what to send instead: our own sentence if a rule has one."""
    kind = problem["type"]
    if kind == "value_error" or (kind not in _SENTENCES and not kind.startswith("int_")):
        return str(problem["msg"]).removeprefix("Value error, ")
    part, *place = problem["loc"]
    if part == "header":
        return f"The header {place[0]} {_SENTENCES.get(kind, _form)(problem)}."
    if part in _PARAMETERS and kind.startswith("int_"):
        return f"{path_of(tuple(place))} must be a whole number, such as 20{_other(problem['input'])}."
    return sentence({**problem, "loc": tuple(place) or problem["loc"]})


def _other(value: Any) -> str:
    """Return a number that was sent in a URL, as it was sent; a text may be personal data."""
    return f", not {value[:40]}" if isinstance(value, str) and _NUMBER.fullmatch(value) else ""


def path_of(location: tuple[int | str, ...]) -> str:
    """Return a path such as `lines[2].quantity`. A key that a customer wrote (an option's name) is not repeated."""
    path = ""
    for step in location:
        name = step if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "…"
        path += f"[{name}]" if isinstance(name, int) else f".{name}" if path else name
    return path[:200]


def _name(problem: Problem) -> str:
    return next((step for step in reversed(problem["loc"]) if isinstance(step, str)), "")


def _currency(body: bytes) -> str | None:
    try:
        currency = from_json(body).get("currency")
    except (ValueError, AttributeError):
        return None
    return currency if isinstance(currency, str) and is_known(currency) else None


def _is_structured(body: bytes) -> bool:
    try:
        event = from_json(body)
    except ValueError:
        return False
    return isinstance(event, dict) and {"specversion", "data"} <= event.keys()


def _shown(value: Any) -> str:
    """Return a number as it was sent; for anything else only its type."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        return json.dumps(value)[:40]
    return _type(value)


def _type(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return "a number"
    return "a text" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _integer(problem: Problem, currency: str | None) -> str:
    name, value = _name(problem), problem["input"]
    if name.endswith("_minor"):
        return f"must be a JSON integer of minor units: {_amount(value, currency)}, not {_shown(value)}"
    if name == "vat_rate":
        return (
            "must be a JSON integer of basis points: send 2000 for 20 %, and a finer rate in taxes, "
            f"not {_shown(value)}"
        )
    if name == "rate_ppm":
        return f"must be a JSON integer of millionths: send 88750 for 8.875 %, not {_shown(value)}"
    if name == "quantity" and isinstance(value, float) and value % 1:
        return (
            f"must be a whole number of units: for {_shown(value)}, put the unit into the article "
            "(an article of half a kilogram) and send quantity 1"
        )
    whole = _plain(value)
    remedy = f"send {whole}" if whole is not None and whole == int(whole) else "send a number such as 3"
    return f"must be a JSON integer without quotes, point or exponent: {remedy}, not {_shown(value)}"


def _plain(value: Any) -> float | None:
    """Return the number in a value, an int if it is whole; None when there is none."""
    text = str(value).strip() if isinstance(value, str | float) else ""
    text = re.sub(r"[ _]", "", text).replace(",", ".")
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if "." not in text else int(float(text)) if float(text) % 1 == 0 else float(text)


def _amount(value: Any, currency: str | None) -> str:
    """Return what to send for an amount in another form: an amount with a decimal point is in the major unit."""
    text = re.sub(r"[ _]", "", value) if isinstance(value, str) else repr(value)
    is_number = isinstance(value, str | float) and _NUMBER.fullmatch(text)
    if is_number and "." not in text and "," not in text:
        return f"send {int(text)}"
    major = text.replace(",", ".").removeprefix("+")
    try:
        minor = from_decimal(major, currency) if is_number and currency else None
    except ValueError:
        minor = None
    if minor is None or currency is None:
        return "send 1500 for 15.00 EUR"
    if isinstance(value, float) and value % 1 == 0:
        return f"send {minor} for {value:.{exponent(currency)}f} {currency}, {int(value)} if it is in minor units"
    return f"send {minor}"


def _too_long(problem: Problem) -> str:
    most = problem["ctx"]["max_length"]
    return f"has {len(problem['input']):,} characters, {most:,} are allowed: shorten it"


def _too_short(problem: Problem) -> str:
    least = problem["ctx"]["min_length"]
    return "is empty: fill it" if least == 1 else f"is too short: send at least {least} characters"


def _too_many(problem: Problem) -> str:
    sent, most = problem["ctx"].get("actual_length"), problem["ctx"]["max_length"]
    return f"has {f'{sent:,} entries' if sent else 'too many entries'}, {most:,} are allowed: send fewer"


def _limit(word: str, key: str) -> Callable[[Problem], str]:
    def write(problem: Problem) -> str:
        return f"is {_shown(problem['input'])}, {word} {problem['ctx'][key]}: correct it"

    return write


_WITHOUT_NUL = r"^[^\x00]*$"
_NUL_TEXT = "must not contain the NUL character: remove it"
_PREFIX = "must be 1 to 10 capital letters, digits and hyphens, such as F"
_FORMS = {
    "shop": "must be the shop's name of 1 to 63 lower-case letters, digits and hyphens",
    "currency": "must be an ISO 4217 code of three capital letters, such as EUR",
    "locale": "must be a language such as fr or fr-FR: two lower-case letters, then a region in capitals or nothing",
    "country": "must be an ISO 3166-1 code of two capital letters, such as FR",
    "unit_price_exact": "must be a text of digits with a point and no sign, in the major unit, such as 0.0123",
    "invoice_prefix": _PREFIX,
    "credit_note_prefix": _PREFIX,
    "tracking_url": "must be a web address that begins with https:// or http://",
    "email": "must be a mail address like name@example.com, without spaces",
    "Idempotency-Key": "must be 1 to 255 printable ASCII characters without spaces",
}
"""The required form, by field name, where the schema gives it as a pattern."""


def _form(problem: Problem) -> str:
    if problem.get("ctx", {}).get("pattern") == _WITHOUT_NUL:
        return _NUL_TEXT
    return _FORMS.get(
        _name(problem), "does not have the form that the schema requires: compare it with the schema"
    )


def _must(words: str) -> Callable[[Problem], str]:
    return lambda problem: f"must be {words}, not {_type(problem['input'])}"


def _day(problem: Problem) -> str:
    if isinstance(problem["input"], str) and _DAY.fullmatch(problem["input"]):
        return f"is {problem['input']}, a day that does not exist: correct it"
    return _must("a day, such as 2026-11-22")(problem)


def _half(problem: Problem) -> str:
    return "contains half of a surrogate pair, which is not a character: remove it"


def _own_words(problem: Problem) -> str:
    return str(problem["ctx"]["problem"])


_SENTENCES: dict[str, Callable[[Problem], str]] = {
    "missing": lambda problem: "is missing: send it",
    "json_invalid": lambda problem: (
        f"is not JSON text in UTF-8: {fault_of(problem['input'], problem['ctx']['error'])}"
    ),
    "bool_type": _must("true or false, without quotes"),
    "string_type": _must("a JSON string, in quotes"),
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "string_pattern_mismatch": _form,
    "enum": lambda problem: f"must be one of {problem['ctx']['expected']}",
    "list_type": _must("a JSON array"),
    "dict_type": _must("a JSON object"),
    "model_type": _must("a JSON object"),
    "model_attributes_type": _must("a JSON object"),
    "too_long": _too_many,
    "too_short": lambda problem: f"must have at least {problem['ctx']['min_length']} entries",
    "greater_than_equal": _limit("the minimum is", "ge"),
    "greater_than": _limit("it must be more than", "gt"),
    "less_than_equal": _limit("the maximum is", "le"),
    "less_than": _limit("it must be less than", "lt"),
    BLANK: lambda problem: "is blank or has only characters that can't be seen: write it",
    NUL: lambda problem: _NUL_TEXT,
    HALF: _half,
    "string_unicode": _half,
    "extra_forbidden": lambda problem: "is unknown: correct its name or leave it out",
    "literal_error": lambda problem: f"must be one of {problem['ctx']['expected']}",
    "uuid_parsing": _must("a UUID, such as 0192f0c1-7a5e-7c3b-9d1e-2f6a8b4c5d7e"),
    "date_from_datetime_parsing": _day,
    "date_parsing": _day,
    "bool_parsing": _must("true or false"),
    "timestamp_form": _own_words,
    "uuid_form": _own_words,
    "value_error": lambda problem: str(problem["ctx"]["error"]),
}
"""Sentences by pydantic's kind of fault; each continues one that begins with the field. For integers see
`_integer`."""
