"""A submission and who sent it: its content as one hash, and the claim on its idempotency key. Pure.

Invariant: a key belongs to the first submission that used it, and only the storefront itself can use its keys.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from contracts.message import Reason
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted, SubmittedLine

SUBMITTED_AT = b'"submitted_at":"'
"""Can only be that field's name: a quote inside of a JSON text is escaped, and other objects come later."""
ClaimKey = tuple[str, str, str]
"""Shop, module, idempotency key."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The first answer: an order was placed."""

    order_id: UUID
    code: str
    source_reference: str | None
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The first answer: refused, for these reasons."""

    reasons: list[Reason]


@dataclass(slots=True)
class Claim:
    """Who has an idempotency key, with which content, and the answer given. `is_fresh`: claimed in this unit."""

    submission_id: UUID
    content_hash: bytes
    answer: Accepted | Refused | None = None
    is_fresh: bool = False


def key_of(sale: OrderSubmitted) -> ClaimKey:
    """What a repeat is known by."""
    return sale.shop, sale.module.value, sale.idempotency_key


def order_id_of(sale: OrderSubmitted, event_id: UUID) -> UUID:
    """The id of the order that a submission asks for: its checkout's, else the submission's own."""
    return sale.checkout_id or event_id


def body_of(sale: OrderSubmitted) -> bytes:
    """The submission as JSON, as it is kept."""
    return sale.__pydantic_serializer__.to_json(sale, exclude_none=True)


def content_hash(sale: OrderSubmitted, body: bytes) -> bytes:
    """A hash of what was sold to whom, from the sale and its `body_of`.

    When it was submitted is left out: a storefront that sends again may say when it did so. The sequence of
    options, time zones and absent fields make no difference.
    """
    if not all(_is_canonical(line) for line in sale.lines):
        body = body_of(sale.model_copy(update={"lines": [_canonical(line) for line in sale.lines]}))
    before, _, rest = body.partition(SUBMITTED_AT)
    return sha256(before + rest.partition(b'"')[2]).digest()


def _is_canonical(line: SubmittedLine) -> bool:
    return (len(line.options) < 2 or list(line.options) == sorted(line.options)) and not (
        line.starts_at or line.ends_at
    )


def _canonical(line: SubmittedLine) -> SubmittedLine:
    return line.model_copy(
        update={
            "options": dict(sorted(line.options.items())),
            "starts_at": _in_utc(line.starts_at),
            "ends_at": _in_utc(line.ends_at),
        }
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def storefront_of(user_id: str | None) -> tuple[str, str] | None:
    """Shop and module of the storefront the broker authenticated; None for any other login."""
    parts = (user_id or "").split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "storefront" else None


def is_foreign(user_id: str | None, message: OrderSubmitted | CheckoutOpened | CheckoutDropped) -> bool:
    """Whether a storefront sent this for another shop or module than its own."""
    return storefront_of(user_id) not in (None, (message.shop, message.module.value))
