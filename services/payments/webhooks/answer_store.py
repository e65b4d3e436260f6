"""The SQL of webhooks whose object is read from the provider's API.

Each statement changes a webhook only while it waits to be read: staff may have set it aside meanwhile.
"""

from datetime import datetime
from uuid import UUID

from services.chassis.storage.database import Connection

OBJECT_UNREAD = "object_unread"


async def store_answer(connection: Connection, webhook_id: UUID, answer: bytes) -> None:
    """Store the provider's answer and mark the webhook to be applied. Locks it."""
    await connection.execute(
        """UPDATE webhook SET answer = $2, state = 'received', reason = NULL, detail = NULL
           WHERE id = $1 AND state = 'waiting' AND reason = $3""",
        webhook_id,
        answer,
        OBJECT_UNREAD,
    )


async def note_reason(connection: Connection, webhook_id: UUID, detail: str) -> None:
    """Note why the object could not be read yet. Locks the webhook."""
    await connection.execute(
        "UPDATE webhook SET detail = $2 WHERE id = $1 AND state = 'waiting' AND reason = $3",
        webhook_id,
        detail[:2000],
        OBJECT_UNREAD,
    )


async def park(connection: Connection, webhook_id: UUID, detail: str, now: datetime) -> None:
    """Leave a webhook whose object can't be read to staff. Locks it."""
    await connection.execute(
        """UPDATE webhook SET state = 'parked', reason = 'object_unknown', detail = $2, handled_at = $3
           WHERE id = $1 AND state = 'waiting' AND reason = $4""",
        webhook_id,
        detail[:2000],
        now,
        OBJECT_UNREAD,
    )
