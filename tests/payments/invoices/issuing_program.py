"""A process that issues what is due and nothing else, to be killed at a failpoint: its database is the argument."""

import asyncio
import sys

from services.chassis.testing import Desk, settings_for_tests
from services.payments.handlers import subscribers
from services.payments.invoices.issuing.ready_shops import ReadyShops
from services.payments.invoices.issuing.worker import issue_documents
from services.payments.settings import PaymentsSettings


async def main(database_url: str) -> None:
    """Issue all that is due."""
    desk = await Desk(
        subscribers, settings_for_tests(PaymentsSettings, database_url, stripe_endpoints=())
    ).open()
    shops = ReadyShops()
    while await issue_documents(desk.hub, shops):
        pass
    await desk.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
