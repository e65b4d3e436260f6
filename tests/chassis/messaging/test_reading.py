"""What can't be read is parked with its reason and visible; the others of its batch go on."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import consumed_by
from contracts.envelope import MAX_BODY_BYTES, Envelope, uuid7, uuid7_floor
from contracts.service import MessageParked
from contracts.storefront import OrderSubmitted
from services.chassis.messaging.inbound.message_reader import read
from services.chassis.messaging.inbound.parking import readable_headers
from services.chassis.messaging.inbound.raw_message import InvalidMessage, RawMessage, dedupe_key
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.testing import Desk, envelope_for
from tests.chassis.conftest import SampleDesks
from tests.chassis.operators import parked_by_http
from tests.chassis.sample import ask

CUSTOMER = "Jeanne Moulin"
QUEUE = "fulfillment.orders"
NOW = datetime.now(UTC)
CONSUMED = {entry.type: entry for entry in consumed_by("orders")}
WINDOW = (uuid7_floor(NOW - timedelta(days=7)), uuid7_floor(NOW + timedelta(days=2)))


def id_of(timestamp: datetime) -> UUID:
    """A UUIDv7 of another time."""
    return UUID(int=uuid7_floor(timestamp).int | 0x7 << 76 | 0b10 << 62 | uuid4().int & (1 << 62) - 1)


def arrival(body: bytes | None = None, queue: str = QUEUE, **changes: Any) -> RawMessage:
    """A good SetStock, with changed attributes of its envelope, or another body."""
    message = ask()
    envelope = envelope_for("fulfillment", message).resent(**changes)
    return RawMessage(queue, envelope.headers(), body or message.model_dump_json().encode(), "orders")


def without(name: str) -> RawMessage:
    """A good SetStock without one attribute."""
    good = arrival()
    return RawMessage(QUEUE, {k: v for k, v in good.headers.items() if k != f"cloudEvents_{name}"}, good.body)


UNFIT = {
    "no id": (without("id"), "envelope_unreadable", "cloudEvents_id"),
    "an endless source": (
        arrival(source="/orders/" + "\U0001f600" * 900),
        "envelope_unreadable",
        "source has more",
    ),
    "an endless correlation": (arrival(correlation_id="x" * 256), "envelope_unreadable", "correlation_id"),
    "unknown type": (arrival(type="orders.stock.counted.v1"), "unknown_type", "in no catalogue"),
    "not for us": (arrival(type="orders.payment.record.v1"), "unknown_type", "not for this service"),
    "newer major": (arrival(type="orders.stock.set.v2"), "unknown_version", "newer than v1"),
    "wrong sender": (arrival(source="/payments"), "wrong_sender", "/payments"),
    "oversize": (arrival(b'{"a": "' + b"x" * MAX_BODY_BYTES + b'"}'), "too_large", str(MAX_BODY_BYTES)),
    "no JSON": (arrival(b"{"), "schema_invalid", "orders.stock.set.v1.json"),
    "id not v7": (arrival(id=uuid4()), "id_not_uuid7", "UUIDv7"),
    "id from the future": (arrival(id=id_of(NOW + timedelta(hours=12))), "id_from_future", "clock"),
    "older than the inbox": (arrival(id=id_of(NOW - timedelta(days=60))), "dedupe_window_expired", "retry"),
}


@pytest.mark.parametrize("case", UNFIT)
async def test_it_is_parked_with_its_reason(sample_desks: SampleDesks, case: str) -> None:
    desk = await sample_desks()
    bad, reason, hint = UNFIT[case]
    ends = {
        id(item.arrival): item.end for item in await desk.hub.committer.commit([arrival(), bad, arrival()])
    }
    assert ends[id(bad)] == "parked"
    [row] = await parked_by_http(desk.hub)
    assert (row["reason"], row["queue"], row["state"]) == (reason, QUEUE, "dead")
    assert hint in row["detail"]
    assert await desk.fetchval("SELECT count(*) FROM seen") == 2
    assert [message.reason for message in await parked_events(desk)] == [reason]


async def parked_events(desk: Desk) -> list[MessageParked]:
    """The MessageParked events in the log."""
    rows = await desk.fetch(
        "SELECT body FROM msg.event_log WHERE type LIKE '%.message.parked.v1' ORDER BY id"
    )
    return [MessageParked.model_validate_json(row["body"]) for row in rows]


async def test_what_does_not_fit_is_reported_by_its_paths_and_not_by_what_a_customer_wrote(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    body = f'{{"shop": "atelier", "levels": [{{"sku": "A", "on_hand": "{CUSTOMER}"}}], "actor": 7}}'.encode()
    await desk.hub.committer.commit([arrival(body)])
    [row] = await parked_by_http(desk.hub)
    assert "levels[0].on_hand" in row["detail"]
    assert "actor" in row["detail"]
    assert CUSTOMER not in str(row)


async def test_a_customers_own_key_is_not_part_of_a_path(sample_desks: SampleDesks) -> None:
    entry = next(entry for entry in consumed_by("orders") if entry.message is OrderSubmitted)
    body = f'{{"lines": [{{"options": {{"{CUSTOMER}": 3}}}}]}}'.encode()
    headers = Envelope(uuid7(), "/storefront/atelier/shop", entry.type, NOW).headers()
    found = read(
        RawMessage("orders.storefront", headers, body, "storefront.atelier.shop"),
        CONSUMED,
        WINDOW,
        datetime.now(UTC),
    )
    assert isinstance(found, InvalidMessage)
    paths = [reason.field for reason in found.reasons]
    assert "lines[0].options.…" in paths
    assert CUSTOMER not in str(found.reasons) + found.detail


async def test_text_that_postgresql_cannot_hold_does_not_fit(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    nul = ask().model_dump_json().replace("MUG", "M\\u0000G").encode()
    backslash = ask(sku=r"M\u0000G").model_dump_json().encode()
    await desk.hub.committer.commit([arrival(nul), arrival(backslash)])
    [row] = await parked_by_http(desk.hub)
    assert row["reason"] == "schema_invalid"
    assert "sku contains the NUL character, which can't be stored: remove it" in row["detail"]
    assert [row["sku"] for row in await desk.fetch("SELECT sku FROM seen")] == [r"M\u0000G"]


async def test_the_name_of_another_never_makes_his_own_message_a_duplicate(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    real = arrival()
    forged = RawMessage("fulfillment.payments", real.headers, real.body, "payments")
    await desk.hub.committer.commit([forged])
    [handled] = await desk.hub.committer.commit([real])
    assert handled.end == "handled"


@pytest.mark.parametrize("user_id", [None, ""])
def test_a_storefront_that_nobody_vouches_for_is_not_consumed(user_id: str | None) -> None:
    headers = Envelope(uuid7(), "/storefront/atelier/shop", "storefront.order.submitted.v1", NOW).headers()
    found = read(
        RawMessage("orders.storefront", headers, b"{}", user_id), CONSUMED, WINDOW, datetime.now(UTC)
    )
    assert isinstance(found, InvalidMessage)
    assert found.code == "wrong_sender"


async def test_an_unreadable_message_whose_ack_was_lost_is_parked_and_reported_once(
    sample_desks: SampleDesks,
) -> None:
    desk = await sample_desks()
    bad = without("id")
    for deliveries in range(3):
        again = RawMessage(QUEUE, {**bad.headers, "x-delivery-count": deliveries}, bad.body)
        await desk.hub.committer.commit([again, again])
    assert len(await parked_by_http(desk.hub)) == 1
    assert len(await parked_events(desk)) == 1


@pytest.mark.parametrize("shop", ["-atelier", "Atelier", "a" * 64, "atelier\n"])
async def test_a_shop_that_is_none_is_parked_without_it(sample_desks: SampleDesks, shop: str) -> None:
    desk = await sample_desks()
    await desk.hub.committer.commit([arrival(type="orders.none.v1", shop=shop)])
    assert [message.shop for message in await parked_events(desk)] == [None]


SOUP = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=40),
    st.binary(max_size=40),
    st.datetimes(),
    st.decimals(allow_nan=True),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.lists(st.integers(), max_size=2),
    st.sampled_from([str(uuid7()), "1.0", "2", "/storefront/a/shop", NOW.isoformat(), *CONSUMED]),
)
NAMES = st.one_of(
    st.builds(
        str.__add__,
        st.sampled_from(["cloudEvents_", "cloudEvents:", "ce-", ""]),
        st.sampled_from(
            ["id", "source", "type", "time", "shop", "subject", "sequence", "causationid", "specversion"]
        ),
    ),
    st.text(max_size=10),
)


ENVELOPES = st.builds(
    lambda event_id, source, kind: Envelope(event_id, source, kind, NOW).headers(),
    st.one_of(
        st.uuids(),
        st.builds(uuid7),
        st.integers(0, 2**38).map(lambda second: id_of(datetime.fromtimestamp(second % 2**37, UTC))),
    ),
    st.sampled_from(["/storefront/a/shop", "/payments", "/orders"]),
    st.sampled_from(sorted(CONSUMED)),
)
HEADERS = st.builds(
    lambda envelope, soup: {**envelope, **soup},
    st.one_of(st.just({}), ENVELOPES),
    st.dictionaries(NAMES, SOUP, max_size=8),
)


@settings(max_examples=500, deadline=None)
@given(
    HEADERS,
    st.one_of(st.binary(max_size=60), st.just(ask().model_dump_json().encode())),
    st.sampled_from(["orders.storefront", "orders.payments", "orders.dead", "x"]),
    st.one_of(st.none(), st.just("storefront.a.shop")),
)
def test_any_input_is_a_delivery_or_invalid(
    headers: dict[str, Any], body: bytes, queue: str, user_id: str | None
) -> None:
    came = RawMessage(queue, headers, body, user_id)
    assert isinstance(read(came, CONSUMED, WINDOW, NOW), ReceivedMessage | InvalidMessage)
    assert dedupe_key(came, None)
    assert readable_headers(came) is not None


HARD = {
    "nan": float("nan"),
    "inf": float("-inf"),
    "decimal": Decimal("1.5"),
    "bytes": b"\xff\x00",
    "table": {"a": [1, {"b": None}]},
    "nul": "a\0b",
    "surrogate": "a\ud800b",
    "na\0me": 2**63,
    "moment": NOW,
}


async def test_the_oddest_headers_can_be_parked(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    [handled] = await desk.hub.committer.commit([RawMessage(QUEUE, HARD, b"\x00\xff")])
    assert handled.end == "parked"


async def test_a_waiting_message_keeps_an_envelope_that_came_as_bytes(sample_desks: SampleDesks) -> None:
    desk = await sample_desks()
    message = ask("wait", "LAMP")
    headers = {k: v.encode() for k, v in envelope_for("fulfillment", message).headers().items()}
    await desk.hub.committer.commit([RawMessage(QUEUE, headers, message.model_dump_json().encode())])
    await desk.deliver(ask("open", "LAMP"))
    await desk.retry()
    assert await desk.fetchval("SELECT count(*) FROM seen") == 2
