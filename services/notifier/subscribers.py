"""What the notifier hears and which action answers it."""

from contracts.fulfillment import ShipmentDispatched
from contracts.orders import OrderPlaced
from services.chassis.subscribers import Delivery, Subscribers
from services.notifier import announcing
from services.notifier.book import MailBook

subscribers = Subscribers("notifier", MailBook)


@subscribers.on(OrderPlaced)
def order_placed(book: MailBook, delivery: Delivery[OrderPlaced]) -> None:
    """An order was placed."""
    announcing.order_placed(book, delivery)


@subscribers.on(ShipmentDispatched)
def shipment_dispatched(book: MailBook, delivery: Delivery[ShipmentDispatched]) -> None:
    """Parcels were handed to a carrier."""
    announcing.shipment_dispatched(book, delivery)
