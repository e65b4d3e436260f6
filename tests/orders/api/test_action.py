"""The one idempotent action: once per key, with hashes that a request keeps across an upgrade."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.chassis.messaging.unit import Unit
from services.chassis.testing import Desk, wait_until
from services.orders.api.actions import change_actions
from services.orders.api.actions import store as api_store
from services.orders.api.actions.action import Action, Actions, Done, KeyTaken, command, own_action
from services.orders.api.actions.staff_requests import CommentRequest, TaggingRequest, TagRequest
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from services.orders.order.history import Seen, Stale
from services.orders.order.requests import OrderFacts, ParcelLineRequest, ParcelRequest, PaymentRequest
from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client, place, sent

ORDER_ID = UUID("0192f3c5-7b1e-7000-8000-000000000001")
FACTS = OrderFacts("maison", ORDER_ID, "K7F3-QD9M", "EUR", frozenset({1, 2}))
ZOE, ERP = "staff:zoe@maison.example", "api:erp"
CHEQUE = PaymentRequest(
    method="cheque",
    amount_minor=8400,
    currency="EUR",
    reference="0042",
    received_on=date(2026, 11, 22),
)
PARCEL = ParcelRequest(lines=[ParcelLineRequest(line=1, quantity=2)])


async def _never(_: Unit) -> Mapping[str, Any]:
    raise AssertionError("a repeat is not carried out")


def _payment() -> Action:
    return command("maison", ORDER_ID, "form:1", lambda _: CHEQUE.command(FACTS, ZOE))


def _parcel() -> Action:
    return command("maison", ORDER_ID, "k", lambda made: PARCEL.command(FACTS, ERP, made))


def _tagging() -> Action:
    request = TaggingRequest(orders=[ORDER_ID], add=[TagRequest(name="VIP")])
    return own_action("maison", None, "k", "orders.order.retag", ERP, request.model_dump_json(), _never)


def _comment() -> Action:
    content = CommentRequest(text="Rappeler").model_dump_json()
    return own_action("maison", ORDER_ID, "k", "orders.order.comment", ERP, content, _never)


@pytest.mark.parametrize(
    ("action", "stored"),
    [
        (_payment(), "cf89ba989ce42387e6f47f74b8009a2e870e29384145af9ed5f6e9d4365ec965"),
        (_parcel(), "721c8895d90761a78a8c105ab1fa840f78be1fc053948303f808eed14c59a7f5"),
        (_tagging(), "ebbb8383912fdfcd90c7ef3fa4c89576994c19ba89052bef0b2920b259380830"),
        (_comment(), "90089f1d93ae36b5bac3a1e11b583b933655cf04dda2281685eaf9bba6452d21"),
        (
            change_actions.cancel(
                "maison", ORDER_ID, "k", ZOE, CancellationRequest(revision=3, reason="Doublon")
            ),
            "760ae7084e91cc8983de03c620453f6009025670165768bcc03923385e41caba",
        ),
        (
            change_actions.delete("maison", ORDER_ID, "k", ERP, DeletionRequest(reason="essai")),
            "77b0a9fe8cfd3adcca7156d6cd0f7d379959dd2eabc719c8e795310017250428",
        ),
        (
            change_actions.edit("maison", ORDER_ID, "k", ERP, EditRequest(note="Sonner")),
            "802e0598a892baf78b3589a07c4f99c6049ded2223a30c9ad1d662df162a1503",
        ),
        (
            change_actions.reinstate("maison", ORDER_ID, "k", ERP, ReinstatementRequest(reason="erreur")),
            "e7752ed691868ff9cec1a645a953dc8b8f22359f3fd6de1455c16de000c8b030",
        ),
    ],
    ids=["payment", "parcel", "tagging", "comment", "cancel", "delete", "edit", "reinstate"],
)
def test_a_request_keeps_the_hash_that_earlier_releases_stored(action: Action, stored: str) -> None:
    assert action.request_hash.hex() == stored


def test_ids_made_here_are_no_part_of_the_hash_and_everything_else_is() -> None:
    first, second = _parcel(), _parcel()
    assert first.command_id != second.command_id
    assert first.request_hash == second.request_hash
    for other in (
        command("maison", ORDER_ID, "k", lambda made: PARCEL.command(FACTS, ZOE, made)),
        command(
            "maison",
            ORDER_ID,
            "k",
            lambda made: PARCEL.model_copy(update={"kind": "tube"}).command(FACTS, ERP, made),
        ),
    ):
        assert other.request_hash != first.request_hash


async def _stored_by_an_earlier_release(desk: Desk, order_id: UUID | None, **row: Any) -> UUID:
    """Insert a done command as a release before this one left it."""
    command_id = uuid4()
    async with desk.unit() as unit:
        await unit.connection.execute(
            """INSERT INTO command (command_id, shop, order_id, type, actor, idempotency_key, request_hash,
                                    requested_at, state, settled_at, outcome)
               VALUES ($1, 'maison', $2, $3, $4, $5, $6, $7, 'done', $7, $8)""",
            *(command_id, order_id, row["type"], row["actor"], row["key"], bytes.fromhex(row["hash"])),
            *(datetime.now(UTC), row.get("outcome", '{"type": "orders.order.comment"}')),
        )
    return command_id


async def test_what_an_earlier_release_carried_out_is_recognized(desks: Desks) -> None:
    desk = await desks("orders")
    first = await _stored_by_an_earlier_release(
        desk,
        ORDER_ID,
        type="orders.order.comment",
        actor=ERP,
        key="k",
        hash="90089f1d93ae36b5bac3a1e11b583b933655cf04dda2281685eaf9bba6452d21",
    )
    paid = await _stored_by_an_earlier_release(
        desk,
        ORDER_ID,
        type="orders.payment.record.v1",
        actor=ZOE,
        key="form:1",
        hash="cf89ba989ce42387e6f47f74b8009a2e870e29384145af9ed5f6e9d4365ec965",
    )
    actions = Actions(desk.hub)
    assert (await actions.carry_out(_comment()))["command_id"] == first
    assert (await actions.carry_out(_payment()))["command_id"] == paid
    assert await desk.fetchval("SELECT count(*) FROM command") == 2
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 0
    with pytest.raises(KeyTaken, match=str(first)):
        await actions.send(_tagging())


async def test_a_program_repeats_its_request_after_the_upgrade(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    order = await place(desk)
    headers, body = {"Idempotency-Key": "0042-1"}, {"text": "Rappeler"}
    async with client(desk) as http:
        url = f"/v1/orders/{order.code}/comments"
        first = await http.post(url, json=body, headers=headers)
        second = await http.post(url, json=body, headers=headers)
    assert (first.status_code, second.json()) == (200, first.json())
    assert await desk.fetchval("SELECT count(*) FROM comment") == 1


async def test_of_many_equal_requests_one_is_carried_out_and_all_get_its_outcome(desks: Desks) -> None:
    desk = await desks("orders")
    calls: list[UUID] = []

    async def act(_: Unit) -> Mapping[str, Any]:
        calls.append(uuid4())
        return {"comment_id": str(calls[-1])}

    def made() -> Action:
        return own_action("maison", None, "k", "orders.order.comment", ERP, "{}", act)

    actions = Actions(desk.hub)
    rows = await asyncio.gather(*(actions.carry_out(made()) for _ in range(5)))
    assert len(calls) == 1
    assert {row["command_id"] for row in rows} == {rows[0]["command_id"]}
    assert all(str(calls[0]) in row["outcome"] for row in rows)
    commands = await asyncio.gather(*(actions.send(_payment()) for _ in range(5)))
    assert len({one.command_id for one in commands}) == 1
    assert len(await sent(desk)) == 1


async def test_an_action_that_fails_leaves_nothing_not_even_its_key(desks: Desks) -> None:
    desk = await desks("orders")
    actions = Actions(desk.hub)

    async def fails(_: Unit) -> Mapping[str, Any]:
        raise ValueError("no")

    async def works(_: Unit) -> Mapping[str, Any]:
        return {}

    for act in (fails, works):
        action = own_action("maison", None, "k", "orders.order.comment", ERP, "{}", act)
        if act is fails:
            with pytest.raises(ValueError, match="no"):
                await actions.carry_out(action)
            assert await desk.fetchval("SELECT count(*) FROM command") == 0
        else:
            assert (await actions.carry_out(action))["state"] == "done"


async def test_a_form_is_done_once_and_another_text_under_its_key_is_refused(desks: Desks) -> None:
    desk = await desks("orders")
    actions = Actions(desk.hub)

    async def act(unit: Unit) -> int:
        return 7

    assert await actions.do("maison", "form:1", b"content", act) == Done(7)
    assert await actions.do("maison", "form:1", b"content", act) == Done(None, is_repeat=True)
    with pytest.raises(KeyTaken):
        await actions.do("maison", "form:1", b"other", act)
    assert await actions.do("atelier", "form:1", b"other", act) == Done(7), "a key is one shop's"


async def test_a_form_waits_for_one_that_is_being_stored_and_is_then_refused(desks: Desks) -> None:
    desk = await desks("orders")
    order, actions = await place(desk), Actions(desk.hub)
    facts = OrderFacts("maison", order.order_id, order.code, "EUR", frozenset({1}))
    first, second = (
        command("maison", order.order_id, f"form:{key}", lambda _: CHEQUE.command(facts, ZOE)) for key in "ab"
    )
    seen = Seen(await desk.fetchval("SELECT revision FROM orders"))
    blocked = "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    async with desk.unit() as unit:
        await api_store.lock_order(unit.connection, "maison", order.order_id)
        await api_store.add_commands(unit.connection, [first], unit.now)
        later = asyncio.create_task(actions.carry_out_as_seen([second], seen))

        async def is_blocked() -> bool:
            return later.done() or bool(await unit.connection.fetchval(blocked))

        await wait_until(is_blocked)
    with pytest.raises(Stale) as refused:
        await later
    assert [one.command_id for one in refused.value.commands] == [first.command_id]
    assert await sent(desk, 0) == []
    named = Seen(seen.revision, frozenset({first.command_id}))
    assert [row["state"] for row in await actions.carry_out_as_seen([second], named)] == ["pending"]
