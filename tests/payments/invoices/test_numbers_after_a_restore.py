"""Numbers of documents after a restore, where the backup itself was made after or during an earlier one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from deploy.backup.filling import finish
from deploy.backup.series import Gap, SeriesName, known_series, recorded, settle
from deploy.cli.failures import Refused
from services.chassis.messaging.recovery.restored import Restored
from tests.builders.orders import SHOP
from tests.payments.cashdesk import CashDesk
from tests.payments.invoices.test_issuing import set_up

HOUR = timedelta(hours=1)


async def restored(cashdesk: CashDesk) -> str:
    """Record a restore of the database, as unfinished; return its URL."""
    await cashdesk.hub.pool.execute(
        """INSERT INTO msg.restore (id, backup_id, taken_at, restored_at, version_floor)
           SELECT $1, $1, clock_timestamp(), clock_timestamp(), count(*) + 1 FROM msg.restore""",
        uuid4(),
    )
    return cashdesk.hub.settings.database_url.get_secret_value()


async def test_a_gap_of_an_earlier_restore_states_nothing_about_the_present_one(cashdesk: CashDesk) -> None:
    await set_up(cashdesk)
    url, taken_at = await restored(cashdesk), datetime.now(UTC) - HOUR
    names = await known_series(url, taken_at, datetime.now(UTC))
    invoices = SeriesName(SHOP, "invoice", max(name.year for name in names))
    for _ in range(2):
        await settle(url, taken_at, {**names, invoices: 7}, "ann", is_none=False)
    assert await recorded(url) == [Gap(invoices, 1, 7)]

    await restored(cashdesk)
    with pytest.raises(Refused, match=f"--last-number {invoices}=7"):
        await settle(url, taken_at, {name: 0 for name in names if name != invoices}, "ann", is_none=False)
    await settle(url, taken_at, {**names, invoices: 9}, "ann", is_none=False)
    assert await recorded(url) == [Gap(invoices, 8, 9)]
    assert (await known_series(url, taken_at, datetime.now(UTC)))[invoices] == 9

    await restored(cashdesk)
    await settle(url, taken_at, {}, "ann", is_none=True)
    assert await recorded(url) == []


async def test_finishing_ends_an_earlier_restore_that_the_backup_holds_as_unfinished(
    cashdesk: CashDesk,
) -> None:
    await restored(cashdesk)
    url = await restored(cashdesk)
    await cashdesk.hub.follow_pauses()
    assert cashdesk.hub.restored == Restored(2, is_unfinished=True)
    await finish("payments", url)
    await cashdesk.hub.follow_pauses()
    assert cashdesk.hub.restored == Restored(2, is_unfinished=False)
