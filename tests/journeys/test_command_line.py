"""`comptoir` on a running system: each command does what it says, as text and as JSON, with its exit status."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.catalogue import SERVICES
from contracts.sale import PaymentMethod
from deploy.auditor.finding import CHECKS
from deploy.demo.addresses import operator_settings
from deploy.topology import broker_of
from tests.journeys.operating import operate, operate_json
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop
from tests.journeys.test_poison_does_not_block_others import POISONS, publish

pytestmark = pytest.mark.rows("C06", "C07", "C08")


def period() -> tuple[str, ...]:
    """The last hour and the next minute, as options."""
    now = datetime.now(UTC)
    since, until = now - timedelta(hours=1), now + timedelta(minutes=1)
    return "--from", since.isoformat(), "--to", until.isoformat()


async def test_the_status_of_all_services(shop: Shop) -> None:
    found = await operate_json(shop, "status")
    assert [one["service"] for one in found["services"]] == list(SERVICES)
    assert found["unreachable"] == []
    status, output = await operate(shop, "status", "orders")
    assert status == 0, output
    assert "outbox" in output
    assert "payments" not in output


async def test_a_service_that_is_down_is_named_and_the_others_are_shown(shop: Shop) -> None:
    down = {"COMPTOIR_PAYMENTS_URL": "http://127.0.0.1:1"}
    status, output = await operate(shop, "status", **down)
    assert status == 3
    assert "payments does not answer (ConnectError)" in output
    assert "fulfillment " in output
    status, output = await operate(shop, "drain", **down)
    assert (status, output.count("\n")) == (3, 1), output


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("drain",),
        ("pause", "orders", "--reason", "made up"),
        ("resume", "orders"),
        ("parked", "list"),
        ("parked", "explain", "orders", "1"),
        ("parked", "retry", "orders", "--all"),
        ("parked", "discard", "orders", "1", "--reason", "made up"),
        ("replay", "orders", "notifier", *period()),
        ("resync", "payments", "orders", "--shop", "garance"),
        ("lost", "count", "orders", "notifier", *period()),
        ("lost", "send", "orders", "notifier", *period()),
        ("erase", "--shop", "garance", "--order", "K7F3-QD9M", "--reason", "made up"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
async def test_a_wrong_token_changes_nothing_and_is_not_shown(shop: Shop, command: tuple[str, ...]) -> None:
    status, output = await operate(shop, *command, COMPTOIR_INTERNAL_TOKEN="a-wrong-token-of-24-signs")
    assert status == 3, output
    assert "refuses the token in COMPTOIR_INTERNAL_TOKEN" in output
    assert "a-wrong-token" not in output


async def test_a_parked_message_is_listed_explained_retried_and_discarded(shop: Shop) -> None:
    poison = next(one for one in POISONS if one.body == b'{"shop": 7}')
    _, _, event_id = await publish(shop, "notifier.payments", poison)

    async def parked() -> dict[str, Any] | None:
        rows = (await operate_json(shop, "parked", "list", "notifier"))["parked"]
        return next((row for row in rows if row["event_id"] == event_id), None)

    row = await shop.until("a parked message", parked)
    assert (row["service"], row["state"], row["reason"]) == ("notifier", "dead", "schema_invalid")
    alike = ("--fingerprint", row["fingerprint"])
    status, output = await operate(shop, "parked", "list", "notifier", *alike)
    assert (status, str(row["id"]) in output, row["type"] in output) == (0, True, True), output
    groups = (await operate_json(shop, "parked", "list", "notifier", "--grouped"))["groups"]
    assert row["fingerprint"] in [group["fingerprint"] for group in groups]

    explained = await operate_json(shop, "parked", "explain", "notifier", str(row["id"]))
    assert explained["detail"] == row["detail"]
    status, output = await operate(shop, "parked", "explain", "notifier", str(row["id"]))
    assert (status, row["detail"] in " ".join(output.split())) == (0, True), output

    retried = await operate_json(shop, "parked", "retry", "notifier", str(row["id"]), "--actor", "ann")
    assert retried == {"service": "notifier", "retried": 1}
    await shop.until("the message parked again", parked_again(shop, row))

    why = ("--reason", "made up by a test")
    status, output = await operate(shop, "parked", "discard", "notifier", str(row["id"]), *why)
    assert (status, output) == (0, "1 discarded\n")
    assert await operate_json(shop, "parked", "discard", "notifier", str(row["id"]), *why, status=1) == {
        "service": "notifier",
        "discarded": 0,
    }
    assert (await operate(shop, "parked", "retry", "notifier", str(row["id"])))[0] == 1
    discarded = await operate_json(shop, "parked", "list", "notifier", "--state", "discarded", *alike)
    assert event_id in [one["event_id"] for one in discarded["parked"]]


def parked_again(shop: Shop, before: dict[str, Any]) -> Any:
    async def look() -> bool | None:
        now = await operate_json(shop, "parked", "explain", "notifier", str(before["id"]))
        is_again = now["state"] == "dead" and now["actor"] == "ann" and now["last_at"] > before["last_at"]
        return is_again or None

    return look


async def test_what_is_not_parked_is_reported(shop: Shop) -> None:
    status, output = await operate(shop, "parked", "explain", "orders", str(2**40))
    assert (status, output) == (1, f"orders answers 404: nothing is parked as {2**40}\n")
    status, output = await operate(shop, "parked", "retry", "orders")
    assert (status, "--fingerprint" in output) == (2, True), output
    status, output = await operate(shop, "parked", "discard", "orders", "1", "--all", "--reason", "made up")
    assert (status, "give either" in output) == (2, True), output


async def test_events_are_replayed_and_orders_resynced(shop: Shop) -> None:
    [order] = await shop.order(a_sale(method=PaymentMethod.CHEQUE))
    await shop.until_order(order, fulfilment_status="unfulfilled")
    counted = await operate_json(shop, "replay", "orders", "notifier", *period(), "--dry-run")
    assert (counted["queue"], counted["replay_id"]) == ("notifier.orders", None)
    assert counted["messages"] > 0
    kind = ("--type", "orders.order.placed.v1")
    status, output = await operate(shop, "replay", "orders", "notifier", *period(), *kind, "--actor", "ann")
    assert status == 0, output
    assert re.search(r"[1-9]\d* messages? to notifier\.orders sent\n$", output), output

    some = ("--shop", shop.name, "--order", order)
    assert (await operate_json(shop, "resync", "payments", "orders", *some, "--dry-run"))["orders"] == 1
    status, output = await operate(shop, "resync", "payments", "orders", *some)
    assert (status, output) == (0, "1 order to orders.payments sent\n")
    answer = (await operate_json(shop, "status", "payments"))["services"][0]["resyncs"]
    assert any(row["told"] == 1 and row["ended_at"] for row in answer)

    status, output = await operate(shop, "resync", "notifier", "orders", *some)
    assert (status, "replay its events instead" in output) == (1, True), output
    status, output = await operate(shop, "replay", "notifier", "payments", *period())
    assert (status, "notifier answers 422" in output) == (1, True), output


async def test_nothing_was_lost_and_nothing_is_left_to_do(shop: Shop) -> None:
    assert (await operate_json(shop, "drain", "--timeout", "60"))["drained"] is True
    status, output = await operate(shop, "drain", "orders", "fulfillment")
    assert (status, output) == (0, "nothing is left to do\n")
    assert await operate_json(shop, "lost", "count", "orders", "payments", *period()) == {
        "types": {},
        "lost": 0,
        "sent": None,
    }
    assert (await operate_json(shop, "lost", "send", "orders", "payments", *period()))["sent"] == 0


async def test_a_paused_service_keeps_messages_and_mails_until_it_is_resumed(shop: Shop) -> None:
    sale = a_sale(method=PaymentMethod.CHEQUE)
    paused = await operate_json(shop, "pause", "notifier", "--reason", "mails go out twice", "--actor", "ann")
    assert [one["what"] for one in paused["paused"]] == ["effects", "messages"]
    try:
        await shop.until("no consumer", queue_of_orders(shop, "consumers", lambda count: count == 0))
        await shop.system.supervisor.stop("notifier")
        await shop.system.start("notifier")
        [order] = await shop.order(sale)
        await shop.until("a message that waits", queue_of_orders(shop, "ready", lambda count: count > 0))
        status, output = await operate(shop, "drain", "notifier", "--timeout", "0")
        assert (status, "messages in notifier.orders" in output) == (1, True), output
        status, output = await operate(shop, "status", "notifier")
        assert (status, "messages are paused since" in output, "by ann (mails go out twice)" in output) == (
            0,
            True,
            True,
        )

        assert await operate(shop, "resume", "notifier", "--only", "messages") == (
            0,
            "notifier: resumed: messages; still paused: effects (by ann: mails go out twice)\n",
        )
        await shop.until("a planned mail", planned_mails(shop))
        assert shop.mails_now(sale.recipient) == []
    finally:
        assert await operate(shop, "resume", "notifier") == (0, "notifier: resumed: effects\n")
    assert await operate(shop, "resume", "notifier") == (0, "notifier: nothing was paused\n")
    await shop.mails_to(sale.recipient)
    await shop.until_order(order, fulfilment_status="unfulfilled")
    assert (await operate(shop, "drain", "--timeout", "60"))[0] == 0


async def status_of_notifier(shop: Shop) -> dict[str, Any]:
    """What the notifier shows; the exit status is 1 while it connects again."""
    _, output = await operate(shop, "status", "notifier", "--json")
    [service] = json.loads(output)["services"]
    found: dict[str, Any] = service
    return found


def queue_of_orders(
    shop: Shop, what: str, is_so: Callable[[int], bool]
) -> Callable[[], Awaitable[bool | None]]:
    """Looks at the notifier's queue of the events of orders."""

    async def look() -> bool | None:
        service = await status_of_notifier(shop)
        count = next(one[what] for one in service["queues"] if one["queue"] == "notifier.orders")
        return True if count is not None and is_so(count) else None

    return look


def planned_mails(shop: Shop) -> Callable[[], Awaitable[bool | None]]:
    """Looks for a mail that is planned."""

    async def look() -> bool | None:
        service = await status_of_notifier(shop)
        return True if any(row["state"] == "planned" for row in service["effects"]) else None

    return look


async def test_a_pause_needs_a_reason_and_a_name_of_what_is_paused(shop: Shop) -> None:
    status, output = await operate(shop, "pause", "notifier")
    assert (status, "--reason" in output) == (2, True), output
    status, output = await operate(shop, "pause", "notifier", "--reason", "x", "--only", "timers")
    assert (status, "'timers' is not one of" in output) == (2, True), output


async def test_the_audit_and_the_books(shop: Shop) -> None:
    assert await operate_json(shop, "audit") == {"checks": len(CHECKS), "violations": []}
    books = await operate_json(shop, "verify", "books")
    assert books["whole"] is True
    assert books["entries"] >= books["accounts"]
    [order] = await shop.order(a_sale(method=PaymentMethod.CHEQUE))
    await shop.until_order(order, fulfilment_status="unfulfilled")
    status, output = await operate(shop, "verify", "books", "--shop", shop.name)
    assert (status, output.startswith("whole: ")) == (0, True), output
    assert await operate(shop, "verify", "books", "--shop", "nosuch") == (
        1,
        "payments has no account of shop nosuch; check the shop's name\n",
    )


async def test_a_database_that_does_not_answer(shop: Shop) -> None:
    unavailable = {"COMPTOIR_PAYMENTS_DATABASE_URL": "postgresql://payments:a-secret@127.0.0.1:1/payments"}
    for command in (("audit",), ("verify", "books"), ("migrate", "payments")):
        status, output = await operate(shop, *command, **unavailable)
        assert status == 3, output
        assert "a-secret" not in output
        assert "Traceback" not in output
    status, output = await operate(shop, "migrate", COMPTOIR_ORDERS_DATABASE_URL="")
    assert (status, "set COMPTOIR_ORDERS_DATABASE_URL" in output) == (2, True), output


async def test_databases_are_migrated_while_the_services_run(shop: Shop) -> None:
    assert await operate_json(shop, "migrate") == {
        "migrated": list(SERVICES),
        "pending_after": {service: [] for service in SERVICES},
    }
    assert await operate(shop, "migrate", "--after", "orders") == (0, "up to date: orders\n")
    status, output = await operate(shop, "migrate", "--before", "--after")
    assert (status, "not both" in output) == (2, True), output
    assert await operate(shop, "migrate", "orders") == (0, "up to date: orders\n")


async def test_a_binding_that_is_missing_is_found_and_made(shop: Shop) -> None:
    same = await operate_json(shop, "topology", "diff")
    assert (same["differences"], same["queues"] > 10) == ([], True)
    broker = broker_of(operator_settings(shop.system))
    bound = await asyncio.to_thread(broker.management.bindings)
    lost = next(one for one in sorted(bound) if one.queue == "notifier.orders")
    await asyncio.to_thread(broker.management.unbind, lost)
    status, output = await operate(shop, "topology", "diff")
    assert (status, f"by {lost.routing_key} is missing" in output) == (1, True), output
    status, output = await operate(shop, "topology", "apply")
    assert (status, "corrected: binding" in output, "bindings in order" in output) == (0, True, True), output
    assert (await operate_json(shop, "topology", "apply"))["removed_differences"] == []


async def test_a_customer_is_erased_only_on_express_request(shop: Shop) -> None:
    sale = a_sale(method=PaymentMethod.CHEQUE)
    [order] = await shop.order(sale)
    await shop.until_order(order, fulfilment_status="unfulfilled")
    await shop.mails_to(sale.recipient)
    code = (await shop.shown(order))["code"]
    command = ("erase", "--shop", shop.name, "--order", code, "--reason", "article 17")
    status, output = await operate(shop, *command)
    assert (status, f"{code} (still running)" in output, "nothing was erased" in output) == (0, True, True), (
        output
    )
    status, output = await operate(shop, *command, "--yes")
    assert (status, "1 order(s) still running" in output) == (1, True), output
    erased = await operate_json(shop, *command, "--running", "--yes")
    assert len(erased["erasures"]) == 1
    status, output = await operate(shop, *command, "--running", "--yes")
    assert (status, "nothing to erase" in output) == (1, True), output
    status, output = await operate(shop, "erase", "--shop", shop.name, "--order", code, "--reason", "")
    assert (status, "orders answers 422: reason is " in output, "Correct everything" in output) == (
        1,
        True,
        False,
    ), output
    status, output = await operate(
        shop, "erase", "--shop", shop.name, "--order", "AAAA-AAAA", "--reason", "x"
    )
    assert (status, "no order AAAA-AAAA" in output) == (1, True), output
