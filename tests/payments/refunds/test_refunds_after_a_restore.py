"""Refunds of a database that was restored from a backup: the provider may have made them after it."""

from contracts.payments.refunds import RefundUncertain
from deploy.backup.filling import DOUBT, HARMLESS
from services.chassis.messaging.recovery.restored import RESTORED, Restored
from tests.payments.builders import of_kind
from tests.payments.refunds.test_sending_refunds import Till, effect, provider, send, till

__all__ = ["provider", "till"]


async def test_a_refund_that_the_backup_holds_as_pending_is_uncertain(till: Till) -> None:
    await till.ask()
    await till.cashdesk.desk.fetch(f"{DOUBT} RETURNING key", RESTORED, list(HARMLESS))
    (event,) = of_kind(await send(till.cashdesk), RefundUncertain)
    assert event.refund.detail == RESTORED
    assert (await effect(till.cashdesk), till.api.refunds) == ("uncertain", {})


async def test_a_refund_that_is_requested_before_the_restore_is_finished_is_uncertain(till: Till) -> None:
    till.cashdesk.hub.restored = Restored(0, is_unfinished=True)
    outcome = await till.ask()
    (event,) = outcome.messages_of(RefundUncertain)
    assert event.refund.detail == RESTORED
    assert of_kind(await send(till.cashdesk), RefundUncertain) == []
    assert (await effect(till.cashdesk), till.api.refunds) == ("uncertain", {})
