"""Figures of external effects: how long they have waited, and under which outcome they are counted."""

from prometheus_client import REGISTRY

from services.chassis.background.effect_settlement import Settling
from services.chassis.background.effects import Effect, Failed, Outcome, Uncertain
from services.chassis.messaging import effect_store
from services.chassis.messaging.effect_store import EffectAges
from services.chassis.testing import Desk
from tests.chassis.background.test_effects import Errands, planned
from tests.chassis.conftest import SampleDesks


async def ages(desk: Desk) -> tuple[int, int]:
    """Minutes since the oldest errand fell due and since it was planned, as they are exported."""
    await Settling("errand", Errands().record, 3, _uncertain).measure(desk.hub)
    async with desk.hub.acquire() as connection:
        found = await effect_store.effect_ages(connection, "errand")
    exported = EffectAges(_sample("due_seconds"), _sample("oldest_seconds"))
    assert abs(exported.due_seconds - found.due_seconds) < 30
    return int(exported.due_seconds // 60), int(exported.begun_seconds // 60)


def _uncertain(_: Effect, why: str) -> Outcome:
    return Uncertain(why)


def _sample(name: str) -> float:
    labels = {"service": "fulfillment", "kind": "errand"}
    value = REGISTRY.get_sample_value(f"comptoir_effect_{name}", labels)
    assert value is not None
    return value


async def change(desk: Desk, sku: str, what: str) -> None:
    await desk.hub.pool.execute(f"UPDATE msg.effect SET {what} WHERE payload ->> 'sku' = $1", sku)  # noqa: S608


async def test_an_effect_ages_from_when_it_is_due_and_from_when_it_was_begun(
    sample_desks: SampleDesks,
) -> None:
    desk = await planned(sample_desks, "LATER", "RETRIED", "DUE", "DONE")
    await change(desk, "DONE", "state = 'done', created_at = now() - interval '9 days'")
    await change(desk, "LATER", "next_at = now() + interval '1 day', created_at = now() - interval '3 h'")
    deferred = "attempts = 4, next_at = now() + interval '1 h', created_at = now() - interval '2 h 10 s'"
    await change(desk, "RETRIED", deferred)
    await change(desk, "DUE", "next_at = now() - interval '10 min 10 s', created_at = now() - interval '1 h'")
    assert await ages(desk) == (10, 120)
    await change(desk, "DUE", "state = 'done'")
    assert await ages(desk) == (0, 120)
    await change(desk, "RETRIED", "state = 'failed'")
    assert await ages(desk) == (0, 0)
    await change(desk, "DUE", "state = 'in_flight', created_at = now() - interval '1 h 10 s'")
    assert await ages(desk) == (0, 60)


async def test_a_failure_can_be_counted_under_another_outcome(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "HELD", "BROKEN")
    before = {name: _count(name) for name in ("held", "failed")}
    errands = Errands(
        lambda effect: Failed("x", counted_as="held" if effect.payload["sku"] == "HELD" else "failed")
    )
    await errands.worker().run(desk.hub)
    await errands.worker().run(desk.hub)
    assert {name: _count(name) - before[name] for name in before} == {"held": 1, "failed": 1}


def _count(outcome: str) -> float:
    labels = {"service": "fulfillment", "kind": "errand", "outcome": outcome}
    return REGISTRY.get_sample_value("comptoir_effects_total", labels) or 0.0
