"""`python -m services.fulfillment` runs the service; `python -m services.fulfillment migrate` prepares its
database.
"""

from services.chassis.running import Service, main
from services.fulfillment import reserving
from services.fulfillment.api import build_app
from services.fulfillment.settings import FulfillmentSettings
from services.fulfillment.store import BACKORDERS
from services.fulfillment.subscribers import subscribers

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
