"""Command line of the orders service: `python -m services.orders` runs it, `migrate` as argument prepares its
database.
"""

from services.chassis.runtime.running import Service, main
from services.orders.api.app import build_app
from services.orders.handlers import subscribers
from services.orders.intake import checking_out, retention
from services.orders.intake.forgetting import forgetter
from services.orders.order.search.indexing import indexer
from services.orders.order.settings import OrdersSettings
from services.orders.order.unit.announcing import announcer
from services.orders.order.unit.checkouts import TIMER

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
            migrations_folder="order/migrations",
        )
    )
