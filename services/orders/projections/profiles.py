"""The notifier's events about a shop's brand and support block: a copy of the fields that pages and printed
documents show.
"""

from contracts.notifier.mail_texts import ShopProfileChanged
from services.chassis.messaging.subscribers import ReceivedMessage
from services.orders.order.shop.profile import ProfileRow
from services.orders.order.unit.unit import OrderUnit
from services.orders.projections import outcomes


def copy_profile(work: OrderUnit, received: ReceivedMessage[ShopProfileChanged]) -> None:
    """Copy the support block and settle the command. Idempotent: the highest version counts."""
    changed = received.message
    known = work.shop_profiles.get(changed.shop)
    if known is None or known.version < changed.version:
        work.shop_profiles[changed.shop] = ProfileRow(
            shop=changed.shop,
            version=changed.version,
            support_email=changed.appearance.support_email,
            support_phone=changed.appearance.support_phone,
            opening_hours=changed.appearance.opening_hours,
            changed_by=changed.changed_by,
            changed_at=changed.changed_at,
        )
    outcomes.settle(work, received)
