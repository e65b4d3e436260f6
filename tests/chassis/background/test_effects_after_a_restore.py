"""Effects of a database that was restored from a backup: what may have happened since is never repeated by itself."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from deploy.backup.filling import DOUBT, HARMLESS
from deploy.backup.restore_state import Step, refuse_running
from deploy.cli.failures import Refused
from services.chassis.messaging.recovery.restored import RESTORED, SCHEMA, DatabaseIncomplete, Restored
from tests.chassis.background.test_effects import Errands, planned, states
from tests.chassis.conftest import SampleDesks

FINISH = "UPDATE msg.restore SET finished_at = now()"
RESTORE = """INSERT INTO msg.restore (id, backup_id, taken_at, restored_at, version_floor)
             VALUES ($1, $1, now(), now(), $2)"""


async def test_one_that_the_backup_holds_as_planned_becomes_uncertain_and_is_recorded(
    sample_desks: SampleDesks,
) -> None:
    desk, errands = await planned(sample_desks, "A"), Errands()
    await desk.hub.pool.execute(DOUBT, RESTORED, list(HARMLESS))
    await errands.worker().run(desk.hub)
    assert (await states(desk), errands.performed) == ({"A": "uncertain"}, [])
    assert [outcome for _, outcome in errands.recorded] == ["Uncertain"]
    assert await desk.fetchval("SELECT detail FROM msg.effect") == RESTORED


async def test_until_the_restore_is_finished_only_harmless_ones_are_planned(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    await desk.hub.pool.execute(RESTORE, uuid4(), 7_000)
    await desk.hub.follow_pauses()
    assert (desk.hub.restored, unfinished()) == (Restored(7_000, is_unfinished=True), 1)
    async with desk.hub.unit() as unit:
        unit.plan("errand", "outside", {"sku": "A"})
        unit.plan("errand", "inside", {"sku": "B"}, changes_outside=False)
    assert await states(desk) == {"A": "uncertain", "B": "planned"}
    await desk.hub.pool.execute(FINISH)
    await desk.hub.follow_pauses()
    assert unfinished() == 0
    async with desk.hub.unit() as unit:
        unit.plan("errand", "later", {"sku": "C"})
        assert [unit.restored.next_version(version) for version in (0, 41, 7_000)] == [7_001, 7_001, 7_001]
    assert await states(desk) == {"A": "uncertain", "B": "planned", "C": "planned"}


async def test_no_process_works_on_a_database_that_is_being_filled(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    await desk.hub.pool.execute(f"CREATE SCHEMA {SCHEMA}")
    with pytest.raises(DatabaseIncomplete, match="comptoir restore"):
        await desk.hub.follow_pauses()
    assert unfinished() == 1
    await desk.hub.pool.execute(f"DROP SCHEMA {SCHEMA}")
    await desk.hub.follow_pauses()
    assert unfinished() == 0


def unfinished() -> float | None:
    """The gauge of restores that are not finished."""
    return REGISTRY.get_sample_value("comptoir_restore_unfinished", {"service": "fulfillment"})


async def test_no_database_is_filled_while_a_process_is_connected_to_it(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    urls = {"orders": desk.hub.settings.database_url.get_secret_value()}
    for step in (Step.EMPTY, Step.BEGUN):
        with pytest.raises(Refused, match=f"still running: comptoir-{desk.hub.name}. Nothing was changed"):
            await refuse_running(urls, {"orders": step})
    for step in (Step.FILLED, Step.OPEN):
        await refuse_running(urls, {"orders": step})
    await desk.close()
    await refuse_running(urls, {"orders": Step.EMPTY})
