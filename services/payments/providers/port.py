"""The port between payments and a payment provider: verify a delivery, read facts from it, call the provider.

Everything above this folder knows providers by these types only. A provider is a folder that implements
`Provider`, and its lines in `registered.py`. A body is never trusted further than its provider's signature
reaches: one that only proves the sender's knowledge of a checksum names an object (`ObjectNamed`), and the
facts are read from the provider's API.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.payments.accounts.facts import Reading, RefundFacts


class SignatureRefused(Exception):
    """The delivery was not signed by the provider for this endpoint, or not now. `reason` is for internal use
    only.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class VerificationUnavailable(Exception):
    """The signature can't be verified now; the provider has to deliver again. `reason` is for internal use."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class ProviderUnavailable(Exception):
    """No answer that settles whether a call had an effect; the same call may be repeated, after the pause that
    the provider asked for, if it did.
    """

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class ProviderRefused(Exception):
    """A final rejection by the provider; the message is the provider's own."""


class ResultTooLarge(ProviderRefused):
    """The provider lists no more than a limited number at once; a shorter period has fewer."""


class CredentialMissing(ProviderRefused):
    """The endpoint has no credentials with which the provider could be asked."""


class EndpointMissing(ProviderRefused):
    """The provider has no such webhook endpoint for these credentials."""


class ObjectMissing(Exception):
    """The provider's API does not know the object for these credentials."""


class AnswerUnreadable(ValueError):
    """The provider's answer has another shape, or an amount that can't be used; the error names the field."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One post to an endpoint: the values of each of the provider's signature headers, and the raw body."""

    headers: Mapping[str, Sequence[str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class ObjectNamed:
    """The object that a delivery names, to be read from the provider's API: its kind, id and event type."""

    kind: str
    object_id: str
    event_type: str


@dataclass(frozen=True, slots=True)
class RefundInstruction:
    """A refund to be made of the provider's `payment`; the amount in ISO 4217 minor units.

    `asked_at` is when staff requested it, None if unknown: providers keep idempotency keys for a while.
    """

    refund_id: UUID
    shop: str
    order_id: UUID
    payment: str
    amount_minor: int
    currency: str
    is_duplicate: bool
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundFound:
    """The provider has the refund: its refund object."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class RefundAbsent:
    """The provider shows all refunds of the payment, and ours is not among them."""


@dataclass(frozen=True, slots=True)
class RefundRepeatable:
    """The provider does not show whether it has the refund, and still keeps its idempotency key: repeating the
    request makes no second one.
    """


LookedUp = RefundFound | RefundAbsent | RefundRepeatable


class Endpoint(Protocol):
    """A webhook endpoint as set up at the provider."""

    @property
    def slug(self) -> str: ...

    @property
    def shop(self) -> str: ...

    @property
    def livemode(self) -> bool: ...


class ObjectReader(Protocol):
    """The reader of objects that a provider's deliveries name."""

    async def fetch(self, slug: str, named: ObjectNamed) -> bytes:
        """Read an object. Raises ProviderUnavailable, ProviderRefused, ObjectMissing."""

    def read_answer(self, slug: str, named: ObjectNamed, answer: bytes) -> Reading:
        """Return the facts in an object that was read. Never raises."""


E = TypeVar("E", bound=Endpoint)


def by_slug(endpoints: Iterable[E], setting: str) -> dict[str, E]:
    """Return a provider's endpoints by slug. Raises ValueError for a slug that two have."""
    found: dict[str, E] = {}
    for endpoint in endpoints:
        if endpoint.slug in found:
            raise ValueError(f"{setting}: two endpoints have the same slug; give each its own")
        found[endpoint.slug] = endpoint
    return found


class Provider(Protocol):
    """One provider with its endpoints. Everything that names an endpoint uses its slug."""

    @property
    def name(self) -> str:
        """Return the provider's name in the ledger, in addresses and on the wire."""

    @property
    def title(self) -> str:
        """Return the provider's name for people."""

    @property
    def setting(self) -> str:
        """Return the variable that configures the endpoints."""

    @property
    def credential(self) -> str:
        """Return the field of an endpoint that calls need."""

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return the endpoints by slug."""

    @property
    def signature_headers(self) -> Sequence[str]:
        """Return the headers that `verify` needs, in lower case; they are stored with the body."""

    @property
    def needed(self) -> Mapping[str, tuple[str, ...]]:
        """Return the events each endpoint must be subscribed to, each with those that prove it was due."""

    def check_headers(self, slug: str, headers: Mapping[str, Sequence[str]]) -> None:
        """Check the number and form of the headers before the body is read. Raises SignatureRefused."""

    async def verify(self, slug: str, delivery: Delivery) -> str | None:
        """Verify a delivery; return the name of its transmission, if the signature covers less than the body.

        Raises SignatureRefused, VerificationUnavailable.
        """

    def name_of(self, body: bytes) -> tuple[str, str]:
        """Return the id and type under which a verified body is stored."""

    def read(self, slug: str, body: bytes) -> Reading | ObjectNamed:
        """Return the facts in a stored body, or the object to read them from. Never raises."""

    @property
    def reader(self) -> ObjectReader | None:
        """Return the reader of objects that deliveries only name; None if each delivery has its facts."""

    def payment_details(self, body: bytes) -> dict[str, Any]:
        """Return what may help staff to identify a payment; nothing is ever matched by it."""

    @property
    def refunds_oldest_first(self) -> bool:
        """Return whether the oldest of several payments is refunded first."""

    def can_refund(self, shop: str) -> bool:
        """Return whether there are credentials to send the shop's refunds."""

    async def refund(self, wish: RefundInstruction) -> bytes:
        """Request a refund under its own idempotency key and return the provider's refund object.

        Raises ProviderUnavailable, ProviderRefused.
        """

    async def find_refund(self, wish: RefundInstruction) -> LookedUp:
        """Look for the provider's refund with our id. `refund` may safely be repeated unless it is found.

        Raises ProviderUnavailable, and ProviderRefused if the provider can't be asked.
        """

    def refund_facts(self, answer: bytes, answered_at: datetime) -> RefundFacts:
        """Return the facts of a refund object that answered our call. Raises AnswerUnreadable."""

    async def enabled_events(self, slug: str) -> frozenset[str]:
        """Return the event types that the endpoint is subscribed to at the provider.

        Raises ProviderUnavailable, ProviderRefused.
        """

    async def close(self) -> None:
        """Close the connections to the provider."""


EVERY_EVENT = "*"
"""Both Stripe's and PayPal's subscription to all event types."""
