"""A refund made at the provider is no violation, and looking goes on."""

from deploy.auditor.auditing import run_checks
from deploy.auditor.inputs import Inputs
from tests.payments.builders import event, refund
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import cashdesk, cashdesks
from tests.payments.refunds.test_refunding import paid

__all__ = ["cashdesk", "cashdesks"]


async def test_a_refund_of_the_dashboard_blinds_nobody(cashdesk: CashDesk) -> None:
    _, intent = await paid(cashdesk)
    await cashdesk.pay(event("refund.created", refund("re_external_1", intent, 2000)))
    async with cashdesk.hub.acquire() as connection:
        assert await run_checks(Inputs({"payments": connection}), ["edits_are_posted_once"]) == []
