"""What can't be read is parked, and its sender, as verified by the broker, is answered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import MAX_BODY_BYTES, uuid7
from contracts.orders.lifecycle import OrderRejected
from contracts.storefront import OrderRefused
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import Desk, envelope_for
from services.orders.backoffice.refused_sales.store import count_refused, read_refused
from tests.builders.submissions import a_checkout, a_sale
from tests.conftest import Desks

LOGIN = "storefront.maison.shop"
SALE = a_sale()
BODY = SALE.model_dump_json().encode()
OTHERS = a_sale(shop="atelier").model_dump_json().encode()
ID = uuid7()


def headers(**changes: Any) -> dict[str, Any]:
    """The headers of a good submission, with some changed; None leaves one out."""
    good = {**envelope_for("orders", SALE, id=ID).headers()}
    changed = {**good, **{f"cloudEvents_{name}": value for name, value in changes.items()}}
    return {name: value for name, value in changed.items() if value is not None}


async def arrive(desk: Desk, arrival: RawMessage) -> list[Any]:
    """Let it arrive, see it parked; what was said to storefronts, and where."""
    desk._units.clear()
    (handled,) = await desk.hub.committer.commit([arrival])
    assert handled.end == "parked"
    keys = [one.routing_key for unit in desk._units for one in unit.outgoing if one.exchange == "public"]
    return [*keys, *(message for _, message in desk.emitted() if isinstance(message, OrderRefused))]


UNREADABLE = {
    "wrong_sender": RawMessage("orders.storefront", headers(source="/payments"), BODY, LOGIN),
    "id_not_uuid7": RawMessage(
        "orders.storefront", headers(id="c0ffee00-0000-4000-8000-000000000000"), BODY, LOGIN
    ),
    "too_large": RawMessage("orders.storefront", headers(), b" " * (MAX_BODY_BYTES + 1), LOGIN),
    "envelope_unreadable": RawMessage("orders.storefront", headers(specversion="0.3"), BODY, LOGIN),
}


@pytest.mark.parametrize("code", UNREADABLE)
async def test_the_sender_is_notified(desks: Desks, code: str) -> None:
    desk = await desks("orders")
    key, refused = await arrive(desk, UNREADABLE[code])
    assert key == "maison.shop.orders.order.refused.v1"
    assert [reason.code for reason in refused.reasons] == [code]
    assert (refused.shop, refused.module, refused.idempotency_key) == ("maison", "shop", None)
    texts = UNREADABLE[code].headers["cloudEvents_id"]
    assert str(refused.submission_id) == texts
    rejected = [message for _, message in desk.emitted() if isinstance(message, OrderRejected)]
    assert [str(message.submission_id) for message in rejected] == [texts]


async def test_without_any_id_the_answer_has_a_blank_one(desks: Desks) -> None:
    desk = await desks("orders")
    _, refused = await arrive(desk, RawMessage("orders.storefront", {"x": 1}, BODY, LOGIN))
    assert refused.submission_id.int == 0


NOT_ANSWERED = {
    "nobody vouches": RawMessage("orders.storefront", headers(source="/payments"), BODY, None),
    "no module of ours": RawMessage("orders.storefront", headers(id="x"), BODY, "storefront.maison.kiosk"),
    "a service": RawMessage("orders.storefront", headers(id="x"), BODY, "payments"),
    "a newer version": RawMessage(
        "orders.storefront", headers(type="storefront.order.submitted.v2"), BODY, LOGIN
    ),
    "a checkout": RawMessage(
        "orders.storefront", {**envelope_for("orders", a_checkout()).headers()}, b"{}", LOGIN
    ),
}


@pytest.mark.parametrize("why", NOT_ANSWERED)
async def test_nobody_is_notified(desks: Desks, why: str) -> None:
    assert await arrive(await desks("orders"), NOT_ANSWERED[why]) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"headers": headers(source="/storefront/maison/events")}, "send /storefront/maison/shop"),
        ({"headers": headers(source="/storefront/atelier/shop")}, "send /storefront/maison/shop"),
        (
            {"body": OTHERS},
            "this login sends /storefront/maison/shop only, as the source and as the message's shop",
        ),
        ({"headers": headers(time=None)}, "cloudEvents_time is missing"),
        ({"headers": headers(time="0001-01-01T00:00:00Z")}, "send a time from 1970-01-01 to 2200-12-31"),
        ({"headers": headers(id=ID.hex)}, "UUID with hyphens"),
        ({"content_type": "text/plain"}, "'text/plain': send application/json"),
    ],
)
async def test_an_envelope_beside_the_contract_is_refused_with_what_to_send(
    desks: Desks, changes: dict[str, Any], says: str
) -> None:
    desk = await desks("orders")
    good = {"queue": "orders.storefront", "headers": headers(), "body": BODY, "user_id": LOGIN}
    _, refused = await arrive(desk, RawMessage(**{**good, **changes}))
    assert says in refused.reasons[0].message


@pytest.mark.parametrize("content_type", [None, "application/json", "Application/JSON; charset=utf-8"])
async def test_json_is_read_under_each_of_its_content_types(desks: Desks, content_type: str | None) -> None:
    desk = await desks("orders")
    arrival = RawMessage("orders.storefront", headers(), BODY, LOGIN, content_type=content_type)
    (handled,) = await desk.hub.committer.commit([arrival])
    assert handled.end == "handled"


ODD_BODIES = {
    "no JSON": b"\xff{{",
    "no object": b"[1]",
    "NUL and surrogates": b'{"customer": {"name": "\\u0000x"}, "idempotency_key": "\\u0000", "a\\u0000": ["\\u0000"]}',
    "no numbers": b'{"totals": {"total_minor": 1e999}, "x": NaN}',
    "a key of another kind": b'{"idempotency_key": {"a": 1}, "source_reference": 7}',
}


@pytest.mark.parametrize("code", UNREADABLE)
async def test_what_cannot_be_read_is_a_refused_sale_of_the_login(desks: Desks, code: str) -> None:
    desk = await desks("orders")
    await arrive(desk, UNREADABLE[code])
    (row,) = await desk.fetch("SELECT * FROM refusal")
    assert (row["shop"], row["module"]) == ("maison", "shop")
    assert str(row["submission_id"]) == UNREADABLE[code].headers["cloudEvents_id"]
    assert row["idempotency_key"] == (None if code == "too_large" else SALE.idempotency_key)
    assert f'"{code}"' in row["reasons"]


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
async def test_any_bytes_make_a_refused_sale_once(desks: Desks, body: bytes) -> None:
    desk = await desks("orders")
    for name in ("x", "y", "x"):
        await arrive(desk, RawMessage("orders.storefront", {name: uuid7().hex}, body, LOGIN))
    await arrive(desk, RawMessage("orders.storefront", {"z": 1}, b"{}", LOGIN))
    rows = await read_refused(desk.hub.pool, "maison", None, 10)
    assert len({row["submission_id"] for row in rows}) == len(rows) == 2
    assert await count_refused(desk.hub.pool, "maison", datetime.now(UTC) - timedelta(days=1)) == 2
