"""Base class and field types of all messages, and the reason of a refusal.

A message is immutable and ignores unknown fields, so that a sender may add one before its listeners
do. Amounts, counts and rates are integers wherever these types are used, in messages and in requests: "15.00", 15.0
and true are refused, since their meaning is ambiguous.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from contracts.timestamps import parse_timestamp, parse_uuid


def _parsed(code: str, parse: Callable[[str], Any], *types: type) -> BeforeValidator:
    """Return a validator that parses texts with `parse` and otherwise accepts only these types."""

    def validate(value: Any) -> Any:
        if isinstance(value, types):
            return value
        try:
            return parse(value if isinstance(value, str) else "")
        except ValueError as error:
            raise PydanticCustomError(code, "{problem}", {"problem": str(error)}) from None

    return BeforeValidator(validate)


UuidText = _parsed("uuid_form", parse_uuid, UUID)

Shop = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="The merchant's shop: lower-case letters, digits, hyphens.",
    ),
]
OrderId = Annotated[
    UUID,
    UuidText,
    Field(
        description="The order: the id of the checkout it was, else of the OrderSubmitted event that placed it."
    ),
]
CheckoutId = Annotated[
    UUID,
    UuidText,
    Field(
        description="The storefront's UUID of the checkout, by preference of version 7; the id of the order that "
        "comes of it."
    ),
]
OrderCode = Annotated[
    str, Field(min_length=4, max_length=16, description="Short code to read aloud: K7F3-QD9M.")
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217 alphabetic code.")]
Minor = Annotated[
    int,
    Field(
        strict=True,
        ge=-(2**53) + 1,
        le=2**53 - 1,
        description="Money in the currency's minor unit (cents for EUR, yen for JPY).",
    ),
]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000, description="Units, at least one.")]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000, description="Units, possibly none.")]
Tally = Annotated[
    int,
    Field(
        ge=0,
        le=2**53 - 1,
        description="Units summed over the life of an order or a stock level; may exceed the limit of one line.",
    ),
]
LineNumber = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=100_000,
        description="The order line's number, from 1.",
    ),
]
VatRate = Annotated[
    int, Field(strict=True, ge=0, le=10_000, description="VAT rate in basis points: 2000 is 20 %.")
]
Locale = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2}(-[A-Z]{2})?$", description="BCP 47 language, optionally with a region: fr, fr-FR."
    ),
]
Sku = Annotated[str, Field(min_length=1, max_length=64, description="Stock keeping unit.")]
Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Reference = Annotated[str, Field(min_length=1, max_length=200)]
LONGEST_ACTOR = 200
Actor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_ACTOR,
        description="The actor: a staff member, an API key or a service.",
    ),
]


def _as_utc_text(timestamp: datetime) -> str:
    return timestamp.isoformat().replace("+00:00", "Z")


Timestamp = Annotated[
    AwareDatetime,
    _parsed("timestamp_form", parse_timestamp, datetime),
    PlainSerializer(_as_utc_text, return_type=str, when_used="json"),
]


class Part(BaseModel):
    """A part of a message: immutable; fields added later are ignored.

    Validators are built on first use: a service imports every message of the catalogue and uses a part of them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Message(Part):
    """One message. `wire_name` is the routing key without its sender: `payment.settled.v1`."""

    wire_name: ClassVar[str]


class Command(Message):
    """A request to the message's only listener; the outcome's causation id is the command's id."""


class Reason(Part):
    """Reason of a refusal, in a form that a program can test and a user can act on."""

    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Stable identifier, totals_do_not_add_up.")
    message: str = Field(max_length=1000, description="One sentence with both values and what to do.")
    field: str | None = Field(
        default=None, max_length=200, description="Where, as a path: lines[2].quantity."
    )


class LineUnits(Part):
    """A number of units of one order line."""

    line: LineNumber
    quantity: Quantity
