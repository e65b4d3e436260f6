"""Submission and its sender: the purchase as one hash, its names, and the claim on its idempotency key. Pure.

Invariant: a key belongs to the sale that was placed with it, and only the storefront itself can use its keys.
The hash covers only the purchase: values that change between two sends (time, browser, network address) and
values known only later (the payment's id, the storefront's own number) never make it another purchase.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from contracts.sale import SubmittedLine
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted
from contracts.timestamps import in_zone

_APART: dict[str, Any] = {
    "submitted_at": True,
    "source_reference": True,
    "checkout_id": True,
    "customer": {"ip_address", "browser"},
    "payment": {"provider", "provider_reference"},
}
"""Fields that are not part of the purchase, as pydantic's `exclude`."""
ClaimKey = tuple[str, str, str]
"""Shop, module, idempotency key."""


@dataclass(frozen=True, slots=True)
class Received:
    """Body of a submission as stored, and the hash of its purchase."""

    body: bytes
    content_hash: bytes


@dataclass(slots=True)
class Accepted:
    """First answer to a submission: an order was placed."""

    order_id: UUID
    code: str
    source_reference: str | None
    total_minor: int
    currency: str


@dataclass(slots=True)
class Names:
    """References of a purchase besides its key: the storefront's number, its checkout, the provider's
    payment.
    """

    source_reference: str | None = None
    checkout_id: UUID | None = None
    provider: str | None = None
    provider_reference: str | None = None

    def join(self, new: "Names") -> None:
        """Add the references that `unknown_in` returned; the payment named first is kept."""
        self.source_reference = self.source_reference or new.source_reference
        if self.provider_reference is None and new.provider_reference is not None:
            self.provider, self.provider_reference = new.provider, new.provider_reference

    def contradicting(self, other: "Names") -> list[str]:
        """Return the fields that refer to another purchase.

        A second payment of one purchase is not among them.
        """
        pairs = {
            "source_reference": (self.source_reference, other.source_reference),
            "checkout_id": (self.checkout_id, other.checkout_id),
        }
        return [field for field, (mine, theirs) in pairs.items() if mine and theirs and mine != theirs]

    def unknown_in(self, other: "Names") -> "Names":
        """Return the references in `other` that are not known here."""
        payment = other.provider_reference not in (None, self.provider_reference)
        return Names(
            source_reference=other.source_reference if self.source_reference is None else None,
            provider=(other.provider or self.provider) if payment else None,
            provider_reference=other.provider_reference if payment else None,
        )


@dataclass(slots=True)
class Claim:
    """Claim on an idempotency key: its owner, its purchase, and the order placed with it.

    `is_fresh`: the key was free when this unit began; it is still free while there is no `answer`. Without
    either, its order was deleted. `body` is the stored submission; of a fresh key, that of the previous
    owner.
    """

    submission_id: UUID
    content_hash: bytes
    body: bytes
    names: Names
    answer: Accepted | None = None
    is_fresh: bool = False

    @property
    def is_free(self) -> bool:
        return self.is_fresh and self.answer is None

    def hold(self, sale: OrderSubmitted, submission_id: UUID, received: Received) -> None:
        """Assign the key to this sale, which is about to be placed."""
        self.submission_id, self.names = submission_id, names_of(sale)
        self.body, self.content_hash = received.body, received.content_hash

    def differing(self, sale: OrderSubmitted, content_hash: bytes) -> list[str]:
        """Return the fields in which the sale differs from the purchase that owns the key; empty for the same
        purchase.
        """
        contradicting = self.names.contradicting(names_of(sale))
        if content_hash == self.content_hash:
            return contradicting
        return contradicting + _differing(self.body, sale)


def key_of(sale: OrderSubmitted) -> ClaimKey:
    """Return the key by which repeats are recognized."""
    return sale.shop, sale.module.value, sale.idempotency_key


def order_id_of(sale: OrderSubmitted, event_id: UUID) -> UUID:
    """Return the id of the order for a submission: its checkout's, else the submission's own."""
    return sale.checkout_id or event_id


def sku_of(line: SubmittedLine) -> str | None:
    """Return the line's SKU; a blank one counts as none, and the line has no stock."""
    return (line.sku or "").strip() or None


def names_of(sale: OrderSubmitted) -> Names:
    """Return the references of this sale."""
    payment = sale.payment
    return Names(
        sale.source_reference,
        sale.checkout_id,
        payment.provider if payment else None,
        payment.provider_reference if payment else None,
    )


def received(sale: OrderSubmitted) -> Received:
    """Return the sale in the form in which it is stored and compared."""
    return Received(body_of(sale), content_hash(sale))


def body_of(sale: OrderSubmitted) -> bytes:
    """Return the submission as JSON, in its stored form."""
    return sale.__pydantic_serializer__.to_json(sale, exclude_none=True)


def content_hash(sale: OrderSubmitted) -> bytes:
    """Return a hash of the goods sold and the buyer.

    The order of options, time zones, absent fields and all fields of `_APART` make no difference.
    """
    canonical = _canonical(sale)
    content = canonical.__pydantic_serializer__.to_json(canonical, exclude_none=True, exclude=_APART)
    return sha256(content).digest()


def _canonical(sale: OrderSubmitted) -> OrderSubmitted:
    if all(_is_canonical(line) for line in sale.lines):
        return sale
    return sale.model_copy(update={"lines": [_canonical_line(line) for line in sale.lines]})


def _is_canonical(line: SubmittedLine) -> bool:
    return (len(line.options) < 2 or list(line.options) == sorted(line.options)) and not (
        line.starts_at or line.ends_at
    )


def _canonical_line(line: SubmittedLine) -> SubmittedLine:
    return line.model_copy(
        update={
            "options": dict(sorted(line.options.items())),
            "starts_at": _in_utc(line.starts_at),
            "ends_at": _in_utc(line.ends_at),
        }
    )


def _differing(body: bytes, sale: OrderSubmitted) -> list[str]:
    """Return the fields that differ from a stored submission, whose hash may have been computed by older
    rules.
    """
    try:
        first = OrderSubmitted.model_validate_json(body)
    except ValidationError:
        return ["content"]
    parts = [_canonical(one).model_dump(exclude_none=True, exclude=_APART) for one in (first, sale)]
    return sorted(name for name in parts[0] | parts[1] if parts[0].get(name) != parts[1].get(name))


def _in_utc(timestamp: datetime | None) -> datetime | None:
    return in_zone(timestamp, UTC) if timestamp else None


def storefront_of(user_id: str | None) -> tuple[str, str] | None:
    """Return shop and module of the storefront that the broker authenticated; None for any other login."""
    parts = (user_id or "").split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "storefront" else None


def is_foreign(user_id: str | None, message: OrderSubmitted | CheckoutOpened | CheckoutDropped) -> bool:
    """Return whether a storefront sent this for a shop or module other than its own."""
    return storefront_of(user_id) not in (None, (message.shop, message.module.value))
