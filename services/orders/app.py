"""The orders service's FastStream application: `faststream run services.orders.app:app`."""

from collections.abc import Sequence

from services.chassis.background.workers import Worker
from services.chassis.messaging.erasure.store import TIMER as ERASURE
from services.chassis.runtime.application import application
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.orders.api.app import build_app
from services.orders.handlers import subscribers
from services.orders.order.erasure import erasing
from services.orders.order.intake import checking_out, retention
from services.orders.order.intake.forgetting import forgetter
from services.orders.order.search.indexing import indexer
from services.orders.order.settings import OrdersSettings
from services.orders.order.unit import measuring
from services.orders.order.unit.announcements import announcer
from services.orders.order.unit.checkouts.checkouts import TIMER


def workers(hub: Hub) -> Sequence[Worker]:
    """Return the workers of a process that measures the shops of its settings."""
    assert isinstance(hub.settings, OrdersSettings)
    measuring.start(shop.shop for shop in hub.settings.shops)
    return [announcer(), forgetter(), indexer()]


SERVICE = Service(
    name="orders",
    settings=OrdersSettings,
    subscribers=subscribers,
    app=build_app,
    prepare=workers,
    timers={TIMER: checking_out.run_out, ERASURE: erasing.fire},
    retention=retention.RULES,
    migrations_folder="order/migrations",
)
app = application(SERVICE)
