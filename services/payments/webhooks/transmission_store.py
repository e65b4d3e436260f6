"""The SQL of transmissions: which body came with a provider's signature headers, where these bind no body."""

from datetime import datetime
from typing import NamedTuple

from services.chassis.storage.database import Connection


class TransmissionRow(NamedTuple):
    provider: str
    endpoint: str
    transmission: str
    received_at: datetime


async def record(connection: Connection, row: TransmissionRow, body: bytes) -> bool:
    """Record the body of a transmission; return False if it came with another body before.

    Commits by itself, before the webhook is stored: a repeat after a crash has the same body.
    """
    return bool(
        await connection.fetchval(
            """INSERT INTO webhook_transmission AS known
                   (provider, endpoint, transmission, received_at, body_digest)
               VALUES ($1, $2, $3, $4, sha256($5))
               ON CONFLICT (provider, endpoint, transmission) DO UPDATE SET transmission = excluded.transmission
               RETURNING known.body_digest = sha256($5)""",
            *row,
            body,
        )
    )
