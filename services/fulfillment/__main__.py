"""Entry point: `python -m services.fulfillment` runs the service; `python -m services.fulfillment migrate`
updates its database.
"""

from services.chassis.runtime.running import Service, main
from services.fulfillment.api.app import build_app
from services.fulfillment.handlers import subscribers
from services.fulfillment.order.store import BACKORDERS
from services.fulfillment.settings import FulfillmentSettings
from services.fulfillment.stock import reserving

if __name__ == "__main__":
    main(
        Service(
            name="fulfillment",
            settings=FulfillmentSettings,
            subscribers=subscribers,
            app=build_app,
            timers={BACKORDERS: reserving.go_on},
        )
    )
