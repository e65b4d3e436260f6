"""`python -m services.orders` runs the service; `python -m services.orders migrate` prepares its database."""

from services.chassis.running import Service, main
from services.orders import checking_out, retention
from services.orders.announcing import announcer
from services.orders.api import build_app
from services.orders.checkouts import TIMER
from services.orders.finding.indexing import indexer
from services.orders.forgetting import forgetter
from services.orders.settings import OrdersSettings
from services.orders.subscribers import subscribers

if __name__ == "__main__":
    main(
        Service(
            name="orders",
            settings=OrdersSettings,
            subscribers=subscribers,
            app=build_app,
            workers=[announcer(), forgetter(), indexer()],
            timers={TIMER: checking_out.run_out},
            retention=retention.RULES,
        )
    )
