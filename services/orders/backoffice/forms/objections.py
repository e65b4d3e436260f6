"""What is wrong with the fields of a form that became a model: pydantic's errors in the reader's words."""

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.chassis.texts import BLANK, is_blank
from services.orders.backoffice.language.translating import N_, gettext, number

_OBJECTIONS = {
    "missing": N_("This field is required."),
    "string_too_short": N_("This field is required."),
    BLANK: N_("Enter at least one visible character."),
    "string_pattern_mismatch": N_("“%(value)s” does not have the required format. Correct it."),
    "greater_than": N_("Must be more than %(gt)s."),
    "greater_than_equal": N_("Must be at least %(ge)s."),
    "less_than": N_("Must be less than %(lt)s."),
    "less_than_equal": N_("Must be at most %(le)s."),
    "int_parsing": N_("Enter a whole number."),
    "int_type": N_("Enter a whole number."),
    "date_from_datetime_parsing": N_("Enter a date such as 2026-11-22."),
    "date_parsing": N_("Enter a date such as 2026-11-22."),
    "uuid_parsing": N_("Choose an option from the list."),
    "enum": N_("Choose an option from the list."),
    "literal_error": N_("Choose an option from the list."),
    "too_short": N_("Choose at least one."),
}
"""Texts by pydantic's error types."""
_EMPTY = N_("This field is empty. Fill it in.")
_OTHERWISE = N_("“%(value)s” can’t be used here. Correct it.")
_FORMS = {
    "country": N_("“%(value)s” is not a country. Enter its name or its ISO 3166 code, such as FR."),
    "currency": N_("“%(value)s” is not a currency. Enter three capital letters, such as EUR."),
    "tracking_url": N_("“%(value)s” is not a web address. Enter one that begins with https://."),
}
"""What is wrong with a value that does not fit its pattern, by field."""
_LONGEST_SHOWN = 60


def objections(error: ValidationError, forms: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return every validation error by its field, translated. `forms` has a text, not yet translated, per field whose
    form is a pattern.
    """
    found: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        found.setdefault(name, _objection(fault, {**_FORMS, **(forms or {})}.get(name)))
    return found


def _objection(fault: ErrorDetails, form: str | None) -> str:
    value, values = fault["input"], fault.get("ctx", {})
    if fault["type"] == "string_too_long":
        return too_long(value, values["max_length"])
    text = _OBJECTIONS.get(fault["type"], _OTHERWISE)
    if fault["type"] == "string_pattern_mismatch":
        text = _EMPTY if is_blank(value) else form or text
    shown = value if isinstance(value, str | int) else ""
    return gettext(text, **{**values, "value": str(shown)[:_LONGEST_SHOWN]})


def too_long(text: str, longest: int) -> str:
    """Return the error of a text that has too many characters."""
    return gettext(
        "At most %(longest)s characters are allowed; this has %(count)s. Shorten it.",
        longest=number(longest),
        count=number(len(text)),
    )
