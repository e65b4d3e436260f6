"""The SQL of a staff decision on unmatched money, in orders' own copy of it."""

from datetime import datetime

from contracts.message import Reason
from services.chassis.storage.database import Connection
from services.orders.order.totals.amounts import faults_of_size


async def faults_of_assigning(connection: Connection, shop: str, payment: tuple[str, str]) -> list[Reason]:
    """Return a fault when the unmatched payment (provider, reference) is larger than any payment can be: its unit is
    wrong, and it is set aside.
    """
    row = await connection.fetchrow(
        """SELECT amount_minor, currency FROM unmatched_payment
           WHERE shop = $1 AND provider = $2 AND provider_reference = $3""",
        shop,
        *payment,
    )
    return faults_of_size(row["amount_minor"], row["currency"], "provider_reference") if row else []


async def set_aside(
    connection: Connection, shop: str, payment: tuple[str, str], actor: str, reason: str, now: datetime
) -> None:
    """Record that the payment (provider, reference) belongs to no order here; the first decision is kept."""
    await connection.execute(
        """update unmatched_payment set set_aside_at = $4, set_aside_by = $5, set_aside_reason = $6
           where shop = $1 and provider = $2 and provider_reference = $3 and set_aside_at is null""",
        shop,
        *payment,
        now,
        actor,
        reason,
    )


async def take_back(connection: Connection, shop: str, payment: tuple[str, str]) -> None:
    """Delete the decision: the payment may belong to an order after all."""
    await connection.execute(
        """update unmatched_payment set set_aside_at = null, set_aside_by = null, set_aside_reason = null
           where shop = $1 and provider = $2 and provider_reference = $3""",
        shop,
        *payment,
    )
