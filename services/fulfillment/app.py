"""Fulfillment's FastStream application: `faststream run services.fulfillment.app:app`."""

from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.store import TIMER as ERASURE
from services.chassis.runtime.application import application
from services.chassis.runtime.service import Service
from services.fulfillment.api.app import build_app
from services.fulfillment.erasing import ERASEABLE
from services.fulfillment.handlers import subscribers
from services.fulfillment.order.unit.stock_store import BACKORDERS
from services.fulfillment.settings import FulfillmentSettings
from services.fulfillment.stock import reserving

SERVICE = Service(
    name="fulfillment",
    settings=FulfillmentSettings,
    subscribers=subscribers,
    app=build_app,
    timers={BACKORDERS: reserving.retry_next, ERASURE: erasing.timer(ERASEABLE)},
)
app = application(SERVICE)
