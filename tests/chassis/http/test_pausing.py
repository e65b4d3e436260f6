"""A paused service: messages wait in their queues and effects stay planned, in every process, until it is resumed."""

from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.chassis.http.health import warnings_of, what_is_missing
from services.chassis.runtime.hub import Hub
from services.chassis.testing import wait_until
from tests.chassis.background.test_effects import Errands, planned, states
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs, SampleDesks
from tests.chassis.http.test_operations import get, post
from tests.chassis.messaging.test_consuming import is_done, seen
from tests.chassis.operators import operator
from tests.chassis.sample import ask

QUEUE = "fulfillment.orders"
MESSAGES, EFFECTS = {"what": ["messages"]}, {"what": ["effects"]}
WHY = {"reason": "made up", "actor": "ann"}


async def test_messages_wait_while_they_are_paused_and_none_is_lost(hubs: Hubs, bus: Bus) -> None:
    hub, other = await hubs(), await hubs()
    await bus.publish([framed(ask(sku=f"SKU-{n}")) for n in range(300)])
    answer = await post(hub, "/internal/pause", **MESSAGES, **WHY)
    assert [(one["what"], one["actor"]) for one in answer["paused"]] == [("messages", "ann")]

    async def all_wait(sent: int) -> bool:
        """What is not handled is ready, and nobody consumes."""
        ready, consumers = (await hub.queue_counts()).get(QUEUE, (0, -1))
        return consumers == 0 and ready + await seen(hub) == sent

    await wait_until(partial(all_wait, 300))
    handled = await seen(hub)
    await bus.publish([framed(ask(sku=f"LATE-{n}")) for n in range(50)])
    await wait_until(partial(all_wait, 350))
    assert await seen(hub) == handled
    later = await hubs()
    for one in (hub, other, later):
        assert one.consumers is not None
        assert (one.consumers.is_paused, one.consumers.is_consuming) == (True, False)
        await wait_until(partial(is_ready, one))
        [warning] = warnings_of(one)
        assert "messages are paused since" in warning
        assert "by ann (made up)" in warning
    assert (await get(later, "/internal/operations"))["paused"][0]["reason"] == "made up"
    assert await seen(hub) == handled

    assert (await post(other, "/internal/resume", **MESSAGES))["paused"] == []
    await wait_until(lambda: is_done(hub, 350))


async def test_a_process_that_does_not_consume_warns_of_a_pause_as_long_as_it_lasts(hubs: Hubs) -> None:
    consuming, second = await hubs(), await hubs(consumes=False)
    await post(consuming, "/internal/pause", **EFFECTS, **WHY)
    await wait_until(partial(warns_of, second, 1))
    assert "effects are paused since" in warnings_of(second)[0]
    await wait_until(lambda: are_measured_paused() == (1, 0))
    await post(consuming, "/internal/resume")
    await wait_until(partial(warns_of, second, 0))
    await wait_until(lambda: are_measured_paused() == (0, 0))


def are_measured_paused() -> tuple[float | None, ...]:
    """Return the gauges of effects and messages; both hubs set the same series."""
    labels = ({"service": "fulfillment", "what": what} for what in ("effects", "messages"))
    return tuple(REGISTRY.get_sample_value("comptoir_paused", one) for one in labels)


async def warns_of(hub: Hub, number: int) -> bool:
    return len(warnings_of(hub)) == number


async def is_ready(hub: Hub) -> bool:
    """Whether the process is ready, as its probes see it."""
    return await what_is_missing(hub) == []


async def test_effects_stay_planned_while_they_are_paused(sample_desks: SampleDesks) -> None:
    desk, errands = await planned(sample_desks, "A"), Errands()
    worker = errands.worker()
    assert await pause_twice(desk.hub) == ["another"]
    assert not await worker.run(desk.hub)
    assert (await states(desk), errands.performed) == ({"A": "planned"}, [])
    assert (await post(desk.hub, "/internal/resume"))["resumed"] == ["effects"]
    assert (await post(desk.hub, "/internal/resume"))["resumed"] == []
    await worker.run(desk.hub)
    assert await states(desk) == {"A": "done"}


async def pause_twice(hub: Hub) -> list[str]:
    """Pause effects, and again for another reason: the reasons that are shown."""
    await post(hub, "/internal/pause", **EFFECTS, **WHY)
    answer = await post(hub, "/internal/pause", **EFFECTS, reason="another", actor="bob")
    return [one["reason"] for one in answer["paused"]]


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("pause", {}, "give the reason"),
        ("pause", {"reason": ""}, "give the reason"),
        ("pause", {"reason": " \u200b"}, "give the reason"),
        ("pause", {"reason": "a\0b"}, "give the reason"),
        ("pause", {"reason": "é" * 201}, "the reason has 201 characters; give at most 200"),
        ("pause", {"reason": "x", "actor": "é" * 201}, "the actor has 201 characters; give at most 200"),
        ("resume", {"actor": "a" * 5000}, "the actor has 5,000 characters; give at most 200"),
        ("pause", {"reason": "x", "what": []}, "what can be paused"),
        ("pause", {"reason": "x", "what": "effects"}, "what can be paused"),
        ("pause", {"reason": "x", "what": ["timers"]}, "what can be paused"),
        ("resume", {"what": [7]}, "what can be paused"),
    ],
)
async def test_a_pause_names_its_reason_and_what_can_be_paused(
    sample_desks: SampleDesks, path: str, body: dict[str, Any], why: str
) -> None:
    desk = await sample_desks()
    async with operator(desk.hub) as client:
        answer = await client.post(f"/internal/{path}", json=body)
    assert (answer.status_code, why in answer.json()["detail"]) == (422, True), answer.text
    assert await desk.fetchval("SELECT count(*) FROM msg.pause") == 0
