"""Makes what waits look as if it had waited for longer than anybody is patient."""

from contracts.envelope import Envelope
from contracts.message import Message
from services.chassis.testing import Desk


async def run_out_of_patience(desk: Desk) -> list[tuple[Envelope, Message]]:
    """Move the first sight of every waiting message 61 seconds back and try again; what was said."""
    await desk.hub.pool.execute("UPDATE msg.parked SET first_at = first_at - interval '61 seconds'")
    return await desk.retry()
