"""Form fields: submitted text parsed into values, with every validation error in the user's language.

No submitted value is trusted: the number of fields and characters is limited, NUL is removed (PostgreSQL
cannot store it), line ends are normalized. A rejected form is shown again with exactly the submitted values.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from contracts.money import EXPONENTS, MAX_MINOR
from contracts.timestamps import EARLIEST, LATEST
from services.chassis.texts import is_blank, trimmed
from services.orders.backoffice.forms.objections import objections, too_long
from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import gettext, page_locale

MOST_FIELDS, MOST_BYTES = 5_000, 2 * 1024 * 1024
KEY, REVISION = "key", "revision"
_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}([ '’.,])[0-9]{3}(?:\1[0-9]{3})*")
_ENGLISH_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
_PLAIN_NUMBER = re.compile(r"[+-]?([0-9]{1,1000}\.?[0-9]{0,1000}|\.[0-9]{1,1000})")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
M = TypeVar("M", bound=BaseModel)
FIRST_DAY, LAST_DAY = EARLIEST.date(), LATEST.date()


class FormTooLarge(Exception):
    """The body is larger than any of our forms can be."""


class FormUnreadable(Exception):
    """The body is not a form."""


class Invalid(Exception):
    """The input is not valid; `errors` has the reasons by field (`""`: the form as a whole), translated."""

    def __init__(self, **errors: str) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in errors.items()))
        self.errors = errors


class Form(Mapping[str, str]):
    """The fields of a form: `form["note"]` is the submitted text, "" when there is no such field."""

    def __init__(
        self, fields: Sequence[tuple[str, str]] = (), files: Mapping[str, UploadFile] | None = None
    ) -> None:
        self.fields = [(name, _clean(value)) for name, value in fields]
        self.files = dict(files or {})
        self._first = dict(reversed(self.fields))

    def __getitem__(self, name: str) -> str:
        return self._first.get(name, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def all(self, name: str) -> list[str]:
        """Return every value of a field that occurs several times, as checkboxes do."""
        return [value for one, value in self.fields if one == name]

    def text(self, name: str, longest: int = 1000) -> str | None:
        """Return a trimmed text; None when nothing of it can be seen. Raises Invalid."""
        value = trimmed(self[name])
        if len(value) > longest:
            raise Invalid(**{name: too_long(value, longest)})
        return value or None

    def ticked(self, name: str) -> bool:
        """Return whether a checkbox is ticked."""
        return self[name] not in ("", "off", "false", "0")

    def whole(self, name: str, least: int = 0, most: int = 10**9) -> int | None:
        """Return a whole number; None when nothing was typed. Raises Invalid."""
        typed = _plain_whole(self[name])
        if not typed:
            return None
        if not re.fullmatch(r"-?[0-9]{1,18}", typed) or not least <= int(typed) <= most:
            raise Invalid(
                **{name: gettext("Enter a whole number from %(least)s to %(most)s.", least=least, most=most)}
            )
        return int(typed)

    def amount_minor(self, name: str, currency: str, most: int = MAX_MINOR) -> int | None:
        """Return money in minor units, from 1 234,50 or 1,234.50; None when nothing was typed. Raises Invalid."""
        written = self[name].strip().removesuffix("€").rstrip().removesuffix(currency)
        typed = _plain_amount(written)
        if not typed:
            return None
        exponent = EXPONENTS.get(currency, 2)
        if not _PLAIN_NUMBER.fullmatch(typed):
            raise Invalid(**{name: gettext("Enter an amount such as 12.50.")})
        value = Fraction(typed) * 10**exponent
        if abs(value) > most:
            raise Invalid(**{name: _too_large(most, currency)})
        if value.denominator != 1:
            raise Invalid(**{name: _too_precise(currency, exponent)})
        return int(value)

    def day(self, name: str) -> date | None:
        """Return a day, as a date field sends it (2026-11-22) or as people type it (22/11/2026). Raises
        Invalid.
        """
        typed = self[name].strip()
        if not typed:
            return None
        french = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", typed)
        try:
            day = date(*map(int, french.groups()[::-1])) if french else date.fromisoformat(typed)
        except ValueError:
            raise Invalid(**{name: gettext("Enter a date such as 2026-11-22.")}) from None
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Invalid(**{name: gettext("Enter a date from 1970 to 2200.")})
        return day

    def choice(self, name: str, allowed: Collection[str]) -> str | None:
        """Return one of the allowed values; None when nothing was chosen. Raises Invalid."""
        chosen = self[name].strip()
        if chosen and chosen not in allowed:
            raise Invalid(**{name: gettext("Choose an option from the list.")})
        return chosen or None

    @property
    def key(self) -> str | None:
        """Return the form's idempotency key, generated when it was rendered."""
        return self[KEY] if _PLAIN_KEY.fullmatch(self[KEY]) else None

    @property
    def revision(self) -> int | None:
        """Return the revision of the object that the form shows."""
        typed = self[REVISION].partition(" ")[0]
        return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else None

    def typed(self) -> list[tuple[str, str]]:
        """Return all fields except secrets: those kept when a form is shown again."""
        return [(name, value) for name, value in self.fields if not name.startswith("password")]

    def model(self, kind: type[M], **values: Any) -> M:
        """Return the fields (without those left empty) and `values` as a pydantic model. Raises Invalid."""
        typed = {
            name: value for name, value in self.items() if not is_blank(value) and name in kind.model_fields
        }
        try:
            return kind.model_validate({**typed, **values})
        except ValidationError as error:
            raise Invalid(**objections(error)) from None


async def read_form(request: Request) -> Form:
    """Return the form of a request. Raises FormTooLarge, FormUnreadable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _read_multipart(request)
    body = await _read_body(request)
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise FormUnreadable
    try:
        return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except UnicodeDecodeError:
        raise FormUnreadable from None
    except ValueError:
        raise FormTooLarge from None


async def _read_body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise FormTooLarge
        parts.append(part)
    return b"".join(parts)


async def _read_multipart(request: Request) -> Form:
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        raise FormTooLarge
    try:
        data = await request.form(max_files=20, max_fields=MOST_FIELDS, max_part_size=MOST_BYTES)
    except HTTPException:
        raise FormUnreadable from None
    items = data.multi_items()
    return Form(
        [(name, value) for name, value in items if isinstance(value, str)],
        {name: value for name, value in items if isinstance(value, UploadFile)},
    )


def _too_large(most: int, currency: str) -> str:
    return gettext("The amount is too large: at most %(limit)s.", limit=amount(most, currency))


def _too_precise(currency: str, digits: int) -> str:
    if not digits:
        return gettext("%(currency)s has no decimals.", currency=currency)
    return gettext("%(currency)s has %(digits)s decimals.", currency=currency, digits=digits)


def _plain_whole(typed: str) -> str:
    """Return a whole number without spaces between its thousands: 1 234 is 1234."""
    return _without_groups(_spaced_once(typed), " ")


def _plain_amount(typed: str) -> str:
    """Return a number with a decimal point and nothing between its thousands: 1 234,50 and 1,234.50 are 1234.50.

    The last of comma and point is the decimal one, except that in English a comma before three digits groups
    thousands: 1,234 is 1234 in English and 1.234 in French.
    """
    written = _spaced_once(typed)
    if page_locale().language == "en" and _ENGLISH_GROUPS.fullmatch(written):
        return written.replace(",", "")
    decimal = "," if written.rfind(",") > written.rfind(".") else "."
    whole, point, decimals = written.partition(decimal)
    plain = _without_groups(whole, " '’." if decimal == "," else " '’,")
    return f"{plain}.{decimals}" if point else plain


def _spaced_once(typed: str) -> str:
    """Return a number with one kind of minus and of space, and without spaces around it and after its sign."""
    return re.sub(r"^([+-]) ", r"\1", " ".join(typed.replace("\N{MINUS SIGN}", "-").split()))


def _without_groups(whole: str, separators: str) -> str:
    """Return a whole number without what groups its thousands. Anything else between digits stays, so that the number
    is refused: without it, 1 2 for 1.2 would be ten times as much.
    """
    groups = _GROUPS.fullmatch(whole)
    return whole.replace(groups[1], "") if groups and groups[1] in separators else whole


def _clean(value: str) -> str:
    return value.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class FieldChanged:
    """A field with its value before and after; both "" for an item that is added or removed as a whole."""

    label: str
    before: str
    after: str
