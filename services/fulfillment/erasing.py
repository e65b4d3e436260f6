"""Erasure in fulfillment: addresses of tracking pages, references of proofs, and what was written about orders.

Quantities, movements, parcels and tracking numbers stay: they explain the stock, and claims at the carrier need them.
"""

from services.chassis.messaging.erasure.erasing import Eraseable

ERASEABLE = Eraseable(first="fulfilment_order", kept=("stock_movement",))
"""What fulfillment erases; movements hold no text, and a trigger refuses their change."""
