"""A failed effect that a person has seen is acknowledged with a reason, and counts no more until it fails again."""

from prometheus_client import REGISTRY

from services.chassis.background.effect_settlement import Settling
from services.chassis.background.effects import Effect, Failed, Outcome, Uncertain, decide
from services.chassis.testing import Desk
from tests.chassis.background.test_effects import Errands, planned
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import operator

ACKNOWLEDGE = "/internal/effects/acknowledge"
REFUSED = "550 <zoe@client.example> refused"


async def counted(desk: Desk) -> tuple[float | None, int]:
    """How many failed errands the gauge and the operators' statistics count."""
    await Settling("errand", Errands().record, 3, _uncertain).measure(desk.hub)
    labels = {"service": "fulfillment", "kind": "errand", "state": "failed"}
    async with operator(desk.hub) as client:
        effects = (await client.get("/internal/operations")).json()["effects"]
    return (
        REGISTRY.get_sample_value("comptoir_effect_rows", labels),
        sum(row["effects"] for row in effects if row["state"] == "failed"),
    )


def _uncertain(_: Effect, why: str) -> Outcome:
    return Uncertain(why)


async def test_one_that_was_seen_counts_no_more_until_it_fails_again(sample_desks: SampleDesks) -> None:
    desk = await planned(sample_desks, "A", "B")
    worker = Errands(lambda effect: Failed(REFUSED)).worker()
    await worker.run(desk.hub)
    assert await counted(desk) == (2, 2)
    async with operator(desk.hub) as client:
        listed = (await client.get("/internal/effects")).json()["effects"]
        assert [(row["kind"], row["attempts"], row["detail"]) for row in listed] == [
            ("errand", 1, "550 <…@…> refused")
        ] * 2
        key = listed[0]["key"]
        for body in (
            {"key": key},
            {"key": key, "reason": "\u200b"},
            {"reason": "r"},
            {"key": key, "reason": "é" * 201},
        ):
            assert (await client.post(ACKNOWLEDGE, json=body)).status_code == 422
        done = await client.post(ACKNOWLEDGE, json={"key": key, "reason": "paid in cash", "actor": "ada"})
        assert (done.status_code, done.json()) == (200, {"acknowledged": 1})
        again = await client.post(ACKNOWLEDGE, json={"key": key, "reason": "another", "actor": "bob"})
        assert (again.status_code, again.json()) == (404, {"acknowledged": 0, "already": True})
        (seen,) = (await client.get("/internal/effects?state=acknowledged")).json()["effects"]
        assert [row["key"] for row in (await client.get("/internal/effects")).json()["effects"]] == [
            listed[1]["key"]
        ]
    assert (seen["key"], seen["acknowledged_by"], seen["acknowledgement"]) == (key, "ada", "paid in cash")
    assert await counted(desk) == (1, 1)
    async with desk.hub.unit() as unit:
        assert await decide(unit, key, "planned", "asked for again")
    await worker.run(desk.hub)
    assert await counted(desk) == (2, 2)


async def test_all_of_a_kind_are_seen_at_once_and_never_those_of_another_shop(
    sample_desks: SampleDesks,
) -> None:
    desk = await planned(sample_desks, "A", "B", "C")
    await Errands(lambda effect: Failed("no")).worker().run(desk.hub)
    for sku, shop in (("A", "maison"), ("B", "other")):
        await desk.fetch(
            "UPDATE msg.effect SET payload = payload || jsonb_build_object('shop', $2::text)"
            " WHERE payload ->> 'sku' = $1 RETURNING 1",
            *(sku, shop),
        )
    (nameless,) = await desk.fetch("SELECT key FROM msg.effect WHERE payload ->> 'sku' = 'C'")
    body = {"kind": "errand", "shop": "maison", "reason": "seen"}
    async with operator(desk.hub) as client:
        assert (await client.post(ACKNOWLEDGE, json={**body, "kind": "mail"})).status_code == 404
        assert (await client.post(ACKNOWLEDGE, json={**body, "without": ["errand"]})).status_code == 404
        unnamed = {"key": nameless["key"], "shop": "maison", "reason": "seen"}
        assert (await client.post(ACKNOWLEDGE, json=unnamed)).json() == {"acknowledged": 0, "already": False}
        mine = (await client.get("/internal/effects?shop=maison")).json()["effects"]
        assert [row["shop"] for row in mine] == ["maison"]
        for no_shop in ("", " ", "\u200b", 7, ["maison"]):
            assert (await client.post(ACKNOWLEDGE, json={**body, "shop": no_shop})).status_code == 422
        assert (await client.get("/internal/effects?shop=")).status_code == 422
        assert (await client.post(ACKNOWLEDGE, json={**body, "without": "errand"})).status_code == 422
        assert (await client.post(ACKNOWLEDGE, json=body)).json() == {"acknowledged": 1}
        left = (await client.get("/internal/effects")).json()["effects"]
        assert {row["shop"] for row in left} == {"other", None}
        seen = "/internal/effects?state=acknowledged"
        assert len((await client.get(f"{seen}&shop=maison")).json()["effects"]) == 1
        assert (await client.get(f"{seen}&shop=other")).json() == {"effects": [], "total": 0}
        for query in ("?shop=maison", "?without=errand", "?kind=mail"):
            assert (await client.get(f"/internal/effects{query}")).json() == {"effects": [], "total": 0}
        assert (await client.get("/internal/effects?state=dead")).status_code == 422
        everywhere = await client.post(ACKNOWLEDGE, json={"kind": "errand", "reason": "seen"})
        assert everywhere.json() == {"acknowledged": 2}
    assert await counted(desk) == (0, 0)
