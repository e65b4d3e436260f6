"""A process that sends the refunds that are due and nothing else, to be killed at a failpoint.

`python -m tests.payments.refunds.sending_program DATABASE_URL SETTINGS`, settings as JSON. It ends once no refund is
left to be sent; what waits for its next try is due at once.
"""

import asyncio
import json
import sys

from services.chassis.testing import Desk, settings_for_tests, wait_until
from services.payments.handlers import subscribers
from services.payments.refunds.refunding import EFFECT
from services.payments.refunds.sending import RefundSender
from services.payments.settings import PaymentsSettings

SECONDS = 30.0
LEFT = "SELECT count(*) FROM msg.effect WHERE kind = $1 AND state IN ('planned', 'in_flight')"
HURRY = "UPDATE msg.effect SET next_at = now() WHERE kind = $1 AND state = 'planned'"


async def main(database_url: str, settings: str) -> None:
    """Send all that is due. A lease ends after a second, so that a dead process is noticed soon."""
    given = {"stripe_endpoints": [], "effect_lease_seconds": 1, **json.loads(settings)}
    desk = await Desk(subscribers, settings_for_tests(PaymentsSettings, database_url, **given)).open()
    sender = RefundSender(desk.hub)

    async def is_done() -> bool:
        await desk.hub.pool.execute(HURRY, EFFECT)
        await sender.effects.run(desk.hub)
        return not await desk.fetchval(LEFT, EFFECT)

    await wait_until(is_done, SECONDS)
    await desk.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
