"""The command that sets the number of available units at or below which the merchant is warned about a SKU."""

from contracts.fulfillment.stock import SetStockThreshold, StockThresholdSet
from contracts.message import Reason
from services.chassis.messaging.subscribers import ReceivedMessage
from services.fulfillment.order.unit.answering import done, reject
from services.fulfillment.order.unit.unit import FulfillmentUnit


def set_threshold(work: FulfillmentUnit, received: ReceivedMessage[SetStockThreshold]) -> None:
    """Set or remove a SKU's threshold, or reject one that was never counted.

    Idempotent: a threshold that is set already is answered as done.
    """
    command = received.message
    if not work.places(command.shop, command.sku):
        message = f"shop {command.shop}, SKU {command.sku} was never counted; set its stock first, or correct the SKU."
        return reject(work, received, Reason(code="level_unknown", message=message, field="sku"))
    if work.thresholds.of(command.shop, command.sku) == command.threshold:
        return done(work, received)
    work.thresholds.set(command.shop, command.sku, command.threshold, command.actor)
    changed = StockThresholdSet(
        shop=command.shop, sku=command.sku, threshold=command.threshold, changed_by=command.actor
    )
    work.unit.emit(changed, cause=received.envelope, subject=command.sku)
    return None
