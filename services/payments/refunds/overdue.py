"""Refunds that were only recorded here and that nothing confirms: the warning about one, once.

A mark moves no money. One that stays unconfirmed is a refund that was promised and perhaps forgotten.
"""

from typing import Any
from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.payments.accounts.refund_messages import overdue_mark
from services.payments.accounts.unit.unit import AccountUnit


async def warn_of_mark(unit: Unit, _: str, payload: dict[str, Any]) -> None:
    """Publish that a recorded refund is overdue, unless it was confirmed, failed, or its order was deleted."""
    order = (payload["shop"], UUID(payload["order_id"]))
    work = AccountUnit(unit)
    await work.load_accounts([order])
    account = work.find(*order)
    if account is None or account.closed_at is not None:
        return
    if warning := overdue_mark(account, UUID(payload["refund_id"])):
        unit.emit(warning)
