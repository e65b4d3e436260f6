"""Days of a known shipment in the shop's time zone, and the dates no longer allowed for it.

The rule is that of `contracts/fulfillment/shipping_days.py`, with the shop's own days; fulfillment, which decides,
has no time zone. An already delivered shipment is left to fulfillment, where a repeat of the same delivery succeeds.
"""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

from contracts.fulfillment.shipping_days import DayFault, faults_of_delivery, faults_of_shipping
from contracts.timestamps import in_zone
from services.chassis.storage.database import Connection


@dataclass(frozen=True, slots=True)
class ShipmentDays:
    """Days on which a shipment left, is expected and arrived, by the shop's calendar."""

    shipped_on: date
    expected_on: date | None = None
    delivered_on: date | None = None

    def faults_of_correction(self, shipped_on: date, expected_on: date | None, today: date) -> list[DayFault]:
        """Return the faults of these days for the shipment; none when they equal its current ones."""
        if (shipped_on, expected_on) == (self.shipped_on, self.expected_on):
            return []
        return faults_of_shipping(shipped_on, expected_on, today, self.delivered_on)

    def faults_of_delivery(self, delivered_on: date, today: date) -> list[DayFault]:
        """Return the faults of a delivery on this day."""
        if self.delivered_on is not None:
            return []
        return faults_of_delivery(delivered_on, self.shipped_on, today)


async def read_days(
    connection: Connection, shop: str, order_id: UUID, shipment_id: UUID, zone: tzinfo
) -> ShipmentDays | None:
    """Return the days of a shipment of the order, None when it is not known here (yet)."""
    row = await connection.fetchrow(
        """select s.shipped_on, s.expected_on, d.delivered_at
           from shipment s left join delivery d using (shop, order_id, shipment_id)
           where s.shop = $1 and s.order_id = $2 and s.shipment_id = $3""",
        shop,
        order_id,
        shipment_id,
    )
    if row is None:
        return None
    arrived: datetime | None = row["delivered_at"]
    return ShipmentDays(
        row["shipped_on"], row["expected_on"], in_zone(arrived, zone).date() if arrived else None
    )
