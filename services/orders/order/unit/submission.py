"""A submission and who sent it: the purchase as one hash, its names, and the claim on its idempotency key. Pure.

Invariant: a key belongs to the sale that was placed with it, and only the storefront itself can use its keys. The hash
covers the purchase alone: what changes by itself between two sends (time, browser, address on the network) and what
is known only later (the payment's id, the storefront's own number) never makes it another purchase.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted, SubmittedLine
from contracts.timestamps import in_zone

_APART: dict[str, Any] = {
    "submitted_at": True,
    "source_reference": True,
    "checkout_id": True,
    "customer": {"ip_address", "browser"},
    "payment": {"provider", "provider_reference"},
}
"""What is no part of the purchase, as pydantic's `exclude`."""
ClaimKey = tuple[str, str, str]
"""Shop, module, idempotency key."""


@dataclass(frozen=True, slots=True)
class Received:
    """A submission's body as it is stored, and the hash of its purchase."""

    body: bytes
    content_hash: bytes


@dataclass(slots=True)
class Accepted:
    """The first answer: an order was placed."""

    order_id: UUID
    code: str
    source_reference: str | None
    total_minor: int
    currency: str


@dataclass(slots=True)
class Names:
    """What a purchase is called beside its key: the storefront's number, its checkout, the provider's payment."""

    source_reference: str | None = None
    checkout_id: UUID | None = None
    provider: str | None = None
    provider_reference: str | None = None

    def join(self, new: "Names") -> None:
        """Take over what `unknown_in` found; a payment named first stays."""
        self.source_reference = self.source_reference or new.source_reference
        if self.provider_reference is None and new.provider_reference is not None:
            self.provider, self.provider_reference = new.provider, new.provider_reference

    def contradicting(self, other: "Names") -> list[str]:
        """The fields that name another purchase. A second payment of one purchase is none of them."""
        pairs = {
            "source_reference": (self.source_reference, other.source_reference),
            "checkout_id": (self.checkout_id, other.checkout_id),
        }
        return [field for field, (mine, theirs) in pairs.items() if mine and theirs and mine != theirs]

    def unknown_in(self, other: "Names") -> "Names":
        """What `other` names that is not known here."""
        payment = other.provider_reference not in (None, self.provider_reference)
        return Names(
            source_reference=other.source_reference if self.source_reference is None else None,
            provider=(other.provider or self.provider) if payment else None,
            provider_reference=other.provider_reference if payment else None,
        )


@dataclass(slots=True)
class Claim:
    """Who has an idempotency key, with which purchase, and the order placed with it.

    `is_fresh`: the key was free when this unit began; it is still free while there is no `answer`. Without either, its
    order was deleted. `body` is the submission as stored, before the one who has the key now if it is fresh.
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
        """Give the key to this sale, which is about to be placed."""
        self.submission_id, self.names = submission_id, names_of(sale)
        self.body, self.content_hash = received.body, received.content_hash

    def differing(self, sale: OrderSubmitted, content_hash: bytes) -> list[str]:
        """The fields in which the sale is another purchase than the one that has the key; empty for the same."""
        contradicting = self.names.contradicting(names_of(sale))
        if content_hash == self.content_hash:
            return contradicting
        return contradicting + _differing(self.body, sale)


def key_of(sale: OrderSubmitted) -> ClaimKey:
    """What a repeat is known by."""
    return sale.shop, sale.module.value, sale.idempotency_key


def order_id_of(sale: OrderSubmitted, event_id: UUID) -> UUID:
    """The id of the order that a submission asks for: its checkout's, else the submission's own."""
    return sale.checkout_id or event_id


def sku_of(line: SubmittedLine) -> str | None:
    """The line's SKU; a blank one is none, and no stock is kept of the line."""
    return (line.sku or "").strip() or None


def names_of(sale: OrderSubmitted) -> Names:
    """What this sale is called."""
    payment = sale.payment
    return Names(
        sale.source_reference,
        sale.checkout_id,
        payment.provider if payment else None,
        payment.provider_reference if payment else None,
    )


def received(sale: OrderSubmitted) -> Received:
    """The sale as it is stored and compared."""
    return Received(body_of(sale), content_hash(sale))


def body_of(sale: OrderSubmitted) -> bytes:
    """The submission as JSON, as it is kept."""
    return sale.__pydantic_serializer__.to_json(sale, exclude_none=True)


def content_hash(sale: OrderSubmitted) -> bytes:
    """A hash of what was sold to whom.

    The sequence of options, time zones, absent fields and all of `_APART` make no difference.
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
    """Compare with a stored submission: a hash may have been made by other rules than today's."""
    try:
        first = OrderSubmitted.model_validate_json(body)
    except ValidationError:
        return ["content"]
    parts = [_canonical(one).model_dump(exclude_none=True, exclude=_APART) for one in (first, sale)]
    return sorted(name for name in parts[0] | parts[1] if parts[0].get(name) != parts[1].get(name))


def _in_utc(moment: datetime | None) -> datetime | None:
    return in_zone(moment, UTC) if moment else None


def storefront_of(user_id: str | None) -> tuple[str, str] | None:
    """Shop and module of the storefront the broker authenticated; None for any other login."""
    parts = (user_id or "").split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "storefront" else None


def is_foreign(user_id: str | None, message: OrderSubmitted | CheckoutOpened | CheckoutDropped) -> bool:
    """Whether a storefront sent this for another shop or module than its own."""
    return storefront_of(user_id) not in (None, (message.shop, message.module.value))
