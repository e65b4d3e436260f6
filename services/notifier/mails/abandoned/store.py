"""SQL of reminders: they wait as timers, whose payload names the customer."""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.mails.abandoned.reminder import TIMER


def timer_key(shop: str, order_id: UUID) -> str:
    """Return the key of a checkout's reminder."""
    return f"{shop}/{order_id}"


async def delete_reminders(connection: Connection, keys: Sequence[tuple[str, UUID]]) -> int:
    """Delete the reminders of these checkouts that wait; return how many did."""
    status: str = await connection.execute(
        "DELETE FROM msg.timer WHERE kind = $1 AND key = ANY($2::text[])",
        TIMER,
        sorted(timer_key(*key) for key in keys),
    )
    return int(status.rpartition(" ")[2])
