"""A shipment as pure rules: which parcels may leave together, when two descriptions are the same, what a
delivery contains.

A parcel leaves in one shipment that is not cancelled; a shipment is delivered once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from contracts.fulfillment.shipments import DispatchShipment, ProofKind, RecordDelivery, UpdateShipment
from contracts.fulfillment.shipping_days import faults_of_delivery, faults_of_shipping, latest_day, reasons_of
from contracts.message import Reason
from services.fulfillment.order.carriers import tracking_url
from services.fulfillment.order.parcel import Parcel


@dataclass(frozen=True, slots=True)
class Receipt:
    """Manner and time of a shipment's arrival at its customer."""

    delivered_at: datetime
    proof: ProofKind
    proof_reference: str | None
    recorded_at: datetime
    recorded_by: str

    def is_described_by(self, command: RecordDelivery) -> bool:
        """Return whether the command records this same delivery (its actor does not matter)."""
        return all(
            getattr(self, name) == getattr(command, name)
            for name in ("delivered_at", "proof", "proof_reference")
        )


@dataclass(frozen=True, slots=True)
class Shipment:
    """Parcels handed to a carrier together, and their receipt once they arrived."""

    id: UUID
    parcel_ids: tuple[UUID, ...]
    carrier: str
    tracking_number: str | None
    tracking_url: str | None
    shipped_on: date
    expected_on: date | None
    cost_minor: int | None
    cost_currency: str | None
    notify_customer: bool
    dispatched_at: datetime
    dispatched_by: str
    receipt: Receipt | None = None
    version: int = 1
    updated_at: datetime | None = None
    updated_by: str | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str | None = None
    cancel_reason: str | None = None

    @property
    def is_active(self) -> bool:
        """Return whether it was not cancelled."""
        return self.cancelled_at is None

    def matches(self, command: UpdateShipment) -> bool:
        """Return whether the shipment already has every value that the command sets."""
        return self.tracking_url == url_of(command) and all(
            getattr(self, name) == getattr(command, name) for name in CORRECTED
        )

    def is_described_by(self, command: DispatchShipment) -> bool:
        """Return whether the command describes this same shipment (its actor does not matter)."""
        return (
            self.parcel_ids == parcel_ids_of(command)
            and self.tracking_url == url_of(command)
            and all(getattr(self, name) == getattr(command, name) for name in _DESCRIPTION)
        )


CORRECTED = ("carrier", "tracking_number", "shipped_on", "expected_on")
"""Fields that can be corrected after dispatch, besides the tracking data."""
_DESCRIPTION = (
    "carrier",
    "tracking_number",
    "shipped_on",
    "expected_on",
    "cost_minor",
    "cost_currency",
    "notify_customer",
)


def parcel_ids_of(command: DispatchShipment) -> tuple[UUID, ...]:
    """Return the command's parcels, each once, in id order."""
    return tuple(sorted(set(command.parcel_ids)))


def url_of(command: DispatchShipment | UpdateShipment) -> str | None:
    """Return the given tracking page, or the carrier's own for the given number."""
    if command.tracking_url or not command.tracking_number:
        return command.tracking_url
    return tracking_url(command.carrier, command.tracking_number, command.postal_code)


def missing_parcels(command: DispatchShipment, parcels: Mapping[UUID, Parcel]) -> list[UUID]:
    """Return the named parcels that were not packed (yet), in id order."""
    return [parcel_id for parcel_id in parcel_ids_of(command) if parcel_id not in parcels]


def reasons_against(
    command: DispatchShipment, shipments: Iterable[Shipment], parcels: Mapping[UUID, Parcel]
) -> list[Reason]:
    """Return every reason why these packed parcels cannot leave; none means they can."""
    reasons = []
    left_in = {
        parcel_id: shipment.id
        for shipment in shipments
        if shipment.is_active
        for parcel_id in shipment.parcel_ids
    }
    for parcel_id in parcel_ids_of(command):
        if parcel_id in left_in:
            message = f"Parcel {parcel_id} already left in shipment {left_in[parcel_id]}; leave it out."
            reasons.append(Reason(code="parcel_already_shipped", message=message, field="parcel_ids"))
        parcel = parcels.get(parcel_id)
        if parcel is not None and parcel.unpacked_at is not None:
            message = f"Parcel {parcel_id} (number {parcel.number}) was taken apart; leave it out."
            reasons.append(Reason(code="parcel_unpacked", message=message, field="parcel_ids"))
    if (command.cost_minor is None) != (command.cost_currency is None):
        message = f"Cost {command.cost_minor} in currency {command.cost_currency}: give both or neither."
        reasons.append(Reason(code="cost_without_currency", message=message, field="cost_currency"))
    return reasons


def reasons_of_days(
    command: DispatchShipment | UpdateShipment, now: datetime, known: Shipment | None = None
) -> list[Reason]:
    """Return every reason why the dates of a shipment are impossible; for an existing one only if they are to
    change.

    The shop's time zone is not stored here: any date that is possible somewhere on Earth passes.
    """
    days = (command.shipped_on, command.expected_on)
    if known is not None and days == (known.shipped_on, known.expected_on):
        return []
    arrived = known.receipt if known else None
    delivered_on = latest_day(arrived.delivered_at) if arrived else None
    return reasons_of(faults_of_shipping(*days, latest_day(now), delivered_on))


def reasons_against_delivery(command: RecordDelivery, known: Shipment, now: datetime) -> list[Reason]:
    """Return every reason why the shipment can't have arrived then, as far as can be judged without the
    shop's time zone.
    """
    today, day = latest_day(now), command.delivered_at.astimezone(UTC).date()
    if day <= today:
        day = latest_day(command.delivered_at)
        today = max(today, day)
    return reasons_of(faults_of_delivery(day, known.shipped_on, today))
