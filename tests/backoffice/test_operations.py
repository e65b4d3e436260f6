"""Operations pages: what is shown of services, queues, parked messages and findings, to whom, and what can be done.

The orders service that answers is the one behind the back office, over real HTTP; the others are not set up.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.envelope import uuid7
from deploy.auditor.finding import CHECKS, Violation, sentence_of
from deploy.auditor.serving import application
from deploy.auditor.watching import Watch
from deploy.local.ports import free_ports
from services.chassis.http import health
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.messaging.recovery.operations_store import count_effects
from services.chassis.runtime.watchdog import Watchdog
from services.chassis.testing import envelope_for
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.language.translating import PageLocale, gettext, using_locale
from services.orders.backoffice.operations.findings import audited
from services.orders.backoffice.operations.messages.replay_pages import kinds, pairs
from services.orders.backoffice.operations.sentences import ADVICE, WRONG, advice, title
from services.orders.backoffice.operations.store import read_codes
from services.orders.backoffice.operations.words import duration
from services.orders.backoffice.web.clients.broker import QueueFigures, figures
from services.orders.backoffice.web.clients.queues import Stuck, of_broker
from tests.backoffice.browser import SHOP, Backoffice, Browser, Shown
from tests.backoffice.conftest import Backoffices
from tests.builders.submissions import a_checkout
from tests.conftest import Desks
from tests.orders.rest_client import place, sale
from tests.payments.builders import placed
from tests.serving import serving

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120
TOKEN = "a-token-for-tests-only"
PARKED, FAILED = "/operations/parked", "/operations/failed"


@pytest.fixture
async def operated(backoffices: Backoffices) -> AsyncIterator[Backoffice]:
    """A back office that reaches its own orders service and an auditor with a finding of two shops."""
    port, auditor_port = free_ports(2)
    opened = await backoffices(
        orders_url=f"http://127.0.0.1:{port}",
        auditor_url=f"http://127.0.0.1:{auditor_port}",
        shops=[{"shop": SHOP, "name": "Maison"}, {"shop": "other", "name": "Other"}],
    )
    orders, auditor = health.application(opened.desk.hub, Watchdog(60)), application(_watched(), TOKEN)
    async with serving(orders, port), serving(auditor, auditor_port):
        yield opened


def _watched() -> Watch:
    watch, now = Watch(), datetime.now(UTC)
    name = "no_stock_is_negative"
    wrong = [
        Violation(name, sentence_of(name), f"stock level {shop} {HOSTILE}", "0 or more", "-1")
        for shop in (SHOP, "other")
    ]
    for _ in range(2):
        watch.scan(wrong, now, 0.4)
    return watch


async def _poison(backoffice: Backoffice, shop: str = SHOP, count: int = 1, **body: Any) -> list[int]:
    """Checkouts of a shop's storefront that fit no contract, of which nobody is told; what they are parked as, oldest
    first."""
    for _ in range(count):
        envelope = envelope_for("orders", a_checkout(shop=shop), id=uuid7())
        content = json.dumps({"customer": {"name": "Zoé Martin"}, "totals": HOSTILE, **body}).encode()
        arrival = RawMessage("orders.storefront", envelope.headers(), content, f"storefront.{shop}.shop")
        await backoffice.desk.hub.committer.commit([arrival])
    rows = await backoffice.desk.fetch("select id from msg.parked where shop = $1 order by id", shop)
    return [row["id"] for row in rows]


async def _alike(backoffice: Backoffice) -> str:
    print_ = await backoffice.desk.fetchval("select fingerprint from msg.parked order by id limit 1")
    return f"{PARKED}/orders/alike/{print_}"


async def _state(backoffice: Backoffice, parked_id: int) -> str:
    return str(await backoffice.desk.fetchval("select state from msg.parked where id = $1", parked_id))


async def test_everything_at_a_glance(operated: Backoffice) -> None:
    await _poison(operated, count=2)
    await _poison(operated, shop="other")
    shown = await (await operated.signed_in()).get("/operations")
    assert shown.status == 200
    for text in (
        "0 / 4 services are ready",
        "broker: not consuming",
        "2+ parked, to be handled",
        "RabbitMQ management is not connected",
        "Storefront → Orders",
        "2 findings of the auditor",
        "Nobody has retried",
    ):
        assert text in shown.words
    part = await (await operated.signed_in()).get(
        "/operations/now", hx_request="true", hx_request_type="partial", hx_target="div#operations-now"
    )
    assert "<html" not in part.text
    assert "services are ready" in part.text


async def test_monitoring_is_linked_where_it_is_set(backoffices: Backoffices) -> None:
    without = await (await (await backoffices()).signed_in()).get("/operations")
    assert "Metrics and alerts" not in without.words
    opened = await backoffices(
        prometheus_url="http://prometheus.example:9090/alerts", alertmanager_url="http://alerts.example:9093"
    )
    shown = await (await opened.signed_in()).get("/operations")
    assert "Metrics and alerts: Prometheus , Alertmanager" in shown.words
    assert 'href="http://prometheus.example:9090/alerts"' in shown.text
    assert 'href="http://alerts.example:9093/"' in shown.text


async def test_unavailable_services_leave_the_rest_working(backoffices: Backoffices) -> None:
    (port,) = free_ports(1)
    unavailable = f"http://127.0.0.1:{port}"
    opened = await backoffices(
        payments_url=unavailable,
        auditor_url=unavailable,
        rabbitmq_management_url=f"http://u:p@127.0.0.1:{port}",
    )
    owner = await opened.signed_in()
    shown = await owner.get("/operations")
    assert shown.status == 200
    assert "Not responding" in shown.words
    assert "RabbitMQ management has not responded since" in shown.words
    assert "not responded since" in (await owner.get(PARKED)).words
    assert "The auditor is not responding" in (await owner.get("/operations/findings")).words
    assert (await owner.get(f"{PARKED}/payments/7")).status == 200
    home = await owner.get("/")
    assert "Payments service is not responding. Payments and refunds appear later" in home.words


async def test_home_shows_what_needs_operations_and_only_those_who_may(operated: Backoffice) -> None:
    quiet = await (await operated.signed_in()).get("/")
    assert "/operations/parked" not in quiet.text
    await _poison(operated, count=2)
    assert "2 actions could not be finished" in (await (await operated.signed_in()).get("/")).words
    assert "could not be finished" not in (await (await operated.signed_in(Role.FULFILMENT)).get("/")).words


async def test_it_is_for_those_who_operate(operated: Backoffice) -> None:
    (parked_id,) = await _poison(operated)
    browser = await operated.signed_in(Role.ACCOUNTANT)
    for path in (
        "/operations",
        PARKED,
        f"{PARKED}/orders/{parked_id}",
        "/operations/replay",
        "/operations/lost",
        "/operations/resync?service=payments",
        "/operations/findings",
        "/operations/unanswered",
    ):
        assert (await browser.get(path)).status == 403
    for action in ("redrive", "discard"):
        refused = await browser.post(
            f"{PARKED}/orders/{parked_id}/{action}", {"key": str(uuid7()), "reason": "x"}
        )
        assert refused.status == 403
    fields = {"key": str(uuid7()), "service": "payments"}
    assert (await browser.post("/operations/resync", fields)).status == 403
    assert await _state(operated, parked_id) == "dead"


async def test_a_request_without_an_answer_is_ended_with_a_reason(operated: Backoffice) -> None:
    command_id = uuid7()
    await operated.desk.fetch(
        """INSERT INTO command (command_id, shop, type, actor, requested_at)
           VALUES ($1, $2, 'orders.parcel.pack.v1', 'api:erp', now() - interval '1 hour') RETURNING 1""",
        *(command_id, SHOP),
    )
    owner = await operated.signed_in()
    shown = await owner.get("/operations/unanswered")
    assert "orders.parcel.pack.v1" in shown.words
    form = shown.form("/operations/unanswered")
    assert (await owner.post(form.action, form.filled(reason="purged"))).status == 422, "none is chosen"
    assert (await owner.post(form.action, form.filled(command=str(command_id)))).status == 422
    fields = form.filled(command=str(command_id), reason="the queue was purged")
    for _ in range(2):
        assert (await owner.post(form.action, fields)).status == 303
    row = (await operated.desk.fetch("SELECT state, outcome FROM command"))[0]
    assert (row["state"], "the queue was purged" in row["outcome"]) == ("rejected", True)
    shown = await owner.get("/operations/unanswered")
    assert "All requests were answered" in shown.words
    again = await owner.post(form.action, [*fields[1:], ("key", str(uuid7()))])
    assert (again.status, "This request was answered" in again.words) == (422, True)
    assert "Ended a request without an answer" in (await owner.get("/operations")).words


async def test_a_poisoned_message_is_explained_with_its_hostile_content_escaped(operated: Backoffice) -> None:
    (parked_id,) = await _poison(operated)
    owner = await operated.signed_in()
    groups = await owner.get(PARKED)
    assert "Its content does not match the contract." in groups.words
    assert "1 to handle" in groups.words
    shown = await owner.get(f"{PARKED}/orders/{parked_id}")
    assert shown.status == 200
    assert "<img src=x" not in shown.text
    assert "W" * 120 in shown.text
    assert "Zoé Martin" in shown.words
    assert (await owner.get(await _alike(operated))).status == 200


async def test_only_ones_own_shop_is_seen_and_touched(operated: Backoffice) -> None:
    (theirs,) = await _poison(operated, shop="other")
    owner = await operated.signed_in()
    assert "Nothing is parked" in (await owner.get(PARKED)).words
    assert (await owner.get(f"{PARKED}/orders/{theirs}")).status == 404
    assert "None of these messages are parked any more" in (await owner.get(await _alike(operated))).words
    for to in (f"{PARKED}/orders/{theirs}", await _alike(operated)):
        for action in ("redrive", "discard"):
            await owner.post(f"{to}/{action}", {"key": str(uuid7()), "reason": "not mine"})
    assert await _state(operated, theirs) == "dead"


async def test_what_is_not_there_is_not_found(operated: Backoffice) -> None:
    owner = await operated.signed_in()
    for path in (
        "nobody/1",
        "orders/x",
        "orders/0x1",
        "orders/99999999999999999999",
        "orders/alike/zz",
        "orders/4",
    ):
        assert (await owner.get(f"{PARKED}/{path}")).status == 404, path


async def test_one_is_set_aside_with_a_reason_alone(operated: Backoffice) -> None:
    parked_id, other = await _poison(operated, count=2)
    owner = await operated.signed_in()
    page = f"{PARKED}/orders/{parked_id}"
    form = (await owner.get(page)).form(f"{page}/discard")
    refused = await owner.post(form.action, form.filled(reason="  "))
    assert refused.status == 422
    assert "Enter a reason" in refused.words
    assert (await owner.post(form.action, form.filled(reason="x" * 201))).status == 422
    assert await _state(operated, parked_id) == "dead"
    done = await owner.post(form.action, form.filled(reason=HOSTILE))
    again = await owner.post(form.action, form.filled(reason=HOSTILE))
    assert [done.status, again.status] == [303, 303]
    assert [await _state(operated, one) for one in (parked_id, other)] == ["discarded", "dead"]
    aside = await owner.get(f"{PARKED}?state=discarded")
    assert HOSTILE in aside.words
    assert "<img src=x" not in aside.text
    actions = [row for row in await operated.audit() if row["action"] == "parked.discard"]
    assert [row["outcome"] for row in actions] == ["refused", "refused", "done", "repeated"]
    assert json.loads(actions[2]["detail"]) == {"service": "orders", "id": parked_id, "messages": 1}
    assert HOSTILE not in actions[2]["detail"]
    assert "Set parked messages aside · Orders · 1 message" in (await owner.get("/operations")).words
    stored = await operated.desk.fetch(
        "select body from msg.event_log where type = 'orders.message.discarded.v1'"
    )
    assert [json.loads(row["body"])["reason"] for row in stored] == [HOSTILE]


async def test_failed_work_is_seen_with_a_reason_and_counts_no_more(operated: Backoffice) -> None:
    await operated.desk.fetch(
        """INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
           SELECT key, kind, 'failed', jsonb_strip_nulls(jsonb_build_object('shop', shop)), now(), $2, now(), now()
           FROM (VALUES ('one', 'refund', $1), ('two', 'invoice_pdf', $1), ('mailed', 'mail', $1),
                        ('theirs', 'refund', 'other'), ('anyones', 'inbound', NULL), ('wrote', 'mail', NULL)
                ) AS row (key, kind, shop) RETURNING 1""",
        *(SHOP, HOSTILE),
    )
    owner = await operated.signed_in()
    for page in ("/operations", "/"):
        overview = await owner.get(page)
        assert (
            "2 refunds or documents failed for good and wait for somebody to look at them." in overview.words
        )
        assert f'href="{FAILED}"' in overview.text
        assert "Everything is working" not in overview.words
    shown = await owner.get(FAILED)
    assert [text in shown.words for text in ("Refund", "Document as PDF", HOSTILE)] == [True] * 3
    for hidden in ("theirs", "mailed", "anyones", "wrote"):
        assert f"orders/{hidden}" not in shown.text
    assert "<img src=x" not in shown.text
    form = shown.form(FAILED)
    for wrong in ({"effect": "orders/one", "reason": " "}, {"effect": "moon/one", "reason": "r"}):
        refused = await owner.post(form.action, form.filled(**wrong))
        assert refused.status == 422
    chosen = form.filled(effect="orders/one", reason=HOSTILE)
    assert [(await owner.post(form.action, chosen)).status for _ in range(2)] == [303, 303]
    another = (await owner.get(FAILED)).form(FAILED)
    for hidden in ("theirs", "mailed", "anyones", "wrote"):
        foreign = another.filled(effect=f"orders/{hidden}", reason="r")
        another = (await owner.get(FAILED)).form(FAILED)
        answer = await owner.post(another.action, foreign)
        assert answer.status == 303
        assert "there is no such failed work" in (await owner.get(answer.headers["location"])).words
    rows = await operated.desk.fetch(
        "SELECT key, acknowledged_by, acknowledgement FROM msg.effect ORDER BY key"
    )
    assert [row["key"] for row in rows if row["acknowledgement"]] == ["one"]
    assert [row["acknowledgement"] for row in rows if row["key"] == "one"] == [HOSTILE]
    after = await owner.get(FAILED)
    assert 'value="orders/two"' in after.text
    assert 'value="orders/one"' not in after.text
    assert HOSTILE in after.words
    assert "<img src=x" not in after.text
    actions = [row for row in await operated.audit() if row["action"] == "effects.acknowledge"]
    assert [row["outcome"] for row in actions] == ["refused", "refused", "done", "repeated", *["done"] * 4]
    detail = {"service": "orders", "key": "one", "reason": HOSTILE, "effects": 1}
    assert json.loads(actions[2]["detail"]) == detail
    reported = (await owner.get("/operations")).words
    assert "Marked failed work as seen, nothing to do · Orders" in reported
    assert "1 refund or document failed for good" in reported
    (failed,) = [row for row in await _effects(operated) if row["kind"] == "invoice_pdf"]
    assert failed["effects"] == 1


async def _effects(backoffice: Backoffice) -> list[dict[str, Any]]:
    async with backoffice.desk.hub.acquire() as connection:
        return [dict(row) for row in await count_effects(connection)]


async def test_all_alike_are_retried_once_however_often_it_is_clicked(operated: Backoffice) -> None:
    await _poison(operated, count=3)
    (theirs,) = await _poison(operated, shop="other")
    owner, page = await operated.signed_in(), await _alike(operated)
    form = (await owner.get(page)).form(f"{page}/redrive")
    twice = await asyncio.gather(*(owner.post(form.action, form.filled()) for _ in range(2)))
    assert [one.status for one in twice] == [303, 303]
    stored = await operated.desk.fetchval(
        "select count(*) from msg.event_log where type = 'orders.message.redriven.v1'"
    )
    assert stored == 3
    assert await _state(operated, theirs) == "dead"
    late = await owner.post(form.action, {"key": str(uuid7())})
    assert "somebody else has already done it" in (await owner.get(late.headers["location"])).words


async def test_a_service_that_is_unavailable_gets_the_same_form_again(backoffices: Backoffices) -> None:
    (port,) = free_ports(1)
    opened = await backoffices(orders_url=f"http://127.0.0.1:{port}")
    (parked_id,) = await _poison(opened)
    owner, key = await opened.signed_in(), str(uuid7())
    typed = {"key": key, "reason": "of a test"}
    refused = await owner.post(f"{PARKED}/orders/{parked_id}/discard", typed)
    assert refused.status == 422
    async with serving(health.application(opened.desk.hub, Watchdog(60)), port):
        assert (await owner.post(f"{PARKED}/orders/{parked_id}/discard", typed)).status == 303
    assert await _state(opened, parked_id) == "discarded"


async def _range(browser: Browser, **changes: str) -> Shown:
    body = {"queue": "payments.orders", "type": "", "from": "2026-11-01T00:00", "to": "2100-01-01T00:00"}
    query = "&".join(f"{name}={value}" for name, value in {**body, **changes}.items())
    return await browser.get(f"/operations/replay?{query}")


async def test_events_are_counted_first_and_replayed_once(operated: Backoffice) -> None:
    for shop in (SHOP, "other"):
        await place(operated.desk, sale(shop=shop))
    owner = await operated.signed_in()
    counted = await _range(owner, type="orders.order.placed.v1")
    assert "1 event" in counted.words
    assert await operated.desk.fetchval("select count(*) from msg.replay") == 0
    form = counted.form("/operations/replay")
    twice = [await owner.post(form.action, form.filled()) for _ in range(2)]
    assert [one.status for one in twice] == [303, 303]
    assert await operated.desk.fetchval("select sum(messages) from msg.replay") == 1
    assert "Orders → Payments" in (await owner.get("/operations/replay")).words
    await operated.desk.hub.pool.execute("update msg.replay set shop = 'other'")
    operated.app_state.monitor.invalidate()
    assert "Orders → Payments" not in (await owner.get("/operations/replay")).text.split("replays-now")[1]
    assert "Replayed events" in (await owner.get("/operations")).words


async def test_lost_messages_are_counted_first_and_sent_again_once(
    backoffices: Backoffices, desks: Desks
) -> None:
    """Orders' messages to fulfillment left, and their queue was emptied before it heard of them."""
    orders_port, other_port = free_ports(2)
    fulfillment = await desks("fulfillment")
    opened = await backoffices(
        orders_url=f"http://127.0.0.1:{orders_port}", fulfillment_url=f"http://127.0.0.1:{other_port}"
    )
    orders_app, other_app = (
        health.application(desk.hub, Watchdog(60)) for desk in (opened.desk, fulfillment)
    )
    async with serving(orders_app, orders_port), serving(other_app, other_port):
        handled, lost = await place(opened.desk, sale(shop=SHOP)), await place(opened.desk, sale(shop=SHOP))
        ids = await opened.desk.fetch(
            "select id, subject from msg.event_log where type = 'orders.order.placed.v1'"
        )
        await opened.desk.hub.pool.execute("delete from msg.dispatch")
        known = next(row["id"] for row in ids if row["subject"] == str(handled.order_id))
        await fulfillment.deliver(handled, id=known)
        owner, path = await opened.signed_in(), "/operations/lost"
        query = "queue=fulfillment.orders&from=2026-11-01T00:00&to=2100-01-01T00:00"
        counted = await owner.get(f"{path}?{query}")
        assert "1 lost message" in counted.words
        assert "mails go out" in counted.words
        assert await opened.desk.fetchval("select count(*) from msg.dispatch") == 0
        form = counted.form(path)
        twice = [await owner.post(form.action, form.filled()) for _ in range(2)]
        assert [one.status for one in twice] == [303, 303]
        (row,) = await opened.desk.fetch("select event_id, routing_key from msg.dispatch")
        assert row["event_id"] == next(one["id"] for one in ids if one["subject"] == str(lost.order_id))
        assert "with effects" in (await owner.get("/operations/replay")).words
        assert "Sent lost messages again" in (await owner.get("/operations")).words
        await fulfillment.deliver(lost, id=row["event_id"])
        assert "was handled, or is parked" in (await owner.get(f"{path}?{query}")).words
        for wrong in ("queue=nobody&from=2026-11-01T00:00&to=2100-01-01T00:00", "queue=fulfillment.orders"):
            assert (await owner.get(f"{path}?{wrong}")).status == 422
        away = await owner.get(f"{path}?queue=notifier.orders&from=2026-11-01T00:00&to=2100-01-01T00:00")
        assert (away.status, "is not responding" in away.words) == (422, True)


async def test_the_owners_truth_is_counted_first_and_sent_once(
    backoffices: Backoffices, desks: Desks
) -> None:
    (port,) = free_ports(1)
    payments = await desks("payments", stripe_endpoints=())
    opened = await backoffices(payments_url=f"http://127.0.0.1:{port}")
    async with serving(health.application(payments.hub, Watchdog(60)), port):
        owner, path = await opened.signed_in(), "/operations/resync"
        assert "no order of the shop" in (await owner.get(f"{path}?service=payments")).words
        for name in (SHOP, "other"):
            await payments.deliver(placed(shop=name))
        counted = await owner.get(f"{path}?service=payments")
        assert "1 order" in counted.words
        assert await payments.fetchval("select count(*) from msg.resync") == 0
        form = counted.form(path)
        twice = [await owner.post(form.action, form.filled()) for _ in range(2)]
        assert [one.status for one in twice] == [303, 303]
        assert await payments.fetchval("select array_agg(shop) from msg.resync") == [SHOP]
        shown = await owner.get("/operations/replay")
        assert "0 of 1" in shown.words
        assert "Started a resync from the owning service" in (await owner.get("/operations")).words
        for wrong in ("orders", "<b>"):
            assert (await owner.get(f"{path}?service={wrong}")).status == 422
            assert (await owner.post(path, {"key": str(uuid7()), "service": wrong})).status == 422
        assert (await owner.get(f"{path}?service=fulfillment")).status in (200, 422)


NONSENSE = {
    "queue": ({"queue": "orders.storefront"}, "Choose an option from the list."),
    "kind": ({"type": "nothing"}, "Choose an option from the list."),
    "pair": ({"type": "payments.payment.settled.v1"}, "does not receive this event"),
    "from": ({"from": "yesterday"}, "Enter a date and a time."),
    "to": ({"to": "2020-01-01T00:00"}, "after the beginning"),
}


async def test_a_range_that_means_nothing_is_refused_beside_its_fields(operated: Backoffice) -> None:
    owner = await operated.signed_in()
    typed = {"queue": "payments.orders", "from": "2026-11-01T00:00", "to": "2100-01-01T00:00"}
    for changes, event in NONSENSE.values():
        refused = await _range(owner, **changes)
        assert refused.status == 422
        assert event in refused.words
        sent = {"key": str(uuid7()), **typed, **changes}
        assert (await owner.post("/operations/replay", sent)).status == 422
    assert await operated.desk.fetchval("select count(*) from msg.replay") == 0


async def test_findings_of_another_shop_are_counted_and_not_shown(operated: Backoffice) -> None:
    shown = await (await operated.signed_in()).get("/operations/findings")
    assert shown.status == 200
    assert f"stock level {SHOP}" in shown.words
    assert "stock level other" not in shown.text
    assert "<img src=x" not in shown.text
    assert "1 more finding concerns another shop." in shown.words
    assert "A stock level is negative" in shown.words
    assert "Count the article" in shown.words


def test_a_look_that_failed_keeps_what_was_known() -> None:
    watch = _watched()
    watch.fail(OSError("database away"), datetime.now(UTC))
    found = audited(watch.report, set())
    assert (found.count, found.elsewhere, found.error) == (2, 0, "OSError: database away")
    assert found.failed_at is not None


async def test_a_finding_states_what_is_wrong_which_order_and_what_to_do(operated: Backoffice) -> None:
    life = await place(operated.desk, sale(shop=SHOP))
    watch, name = Watch(), "orders_know_every_position"
    wrong = Violation(name, sentence_of(name), f"account of {SHOP} {life.order_id}", "version=2", "version=1")
    for _ in range(2):
        watch.scan([wrong], datetime.now(UTC), 0.1)
    shown = audited(watch.report, set())
    assert [(group.check, group.count) for group in shown.groups] == [(name, 1)]
    async with operated.desk.hub.acquire() as connection:
        assert await read_codes(connection, SHOP, shown.named) == {str(life.order_id): life.code}
        assert await read_codes(connection, "other", shown.named) == {}
    with using_locale(PageLocale("fr")):
        assert title(name, "") == "Le paiement affiché d’une commande n’est pas celui de Paiements"
        assert advice(name).startswith("Faites renvoyer")


def test_no_finding_is_hidden_by_many_others() -> None:
    watch, now = Watch(), datetime.now(UTC)
    many = [
        Violation("nothing_is_overdue", "sentence", f"effect {n} of {SHOP}", "ended", "open")
        for n in range(3000)
    ]
    few = [Violation("ledgers_have_no_gaps", "sentence", f"ledger of {SHOP} {n}", "1", "2") for n in range(3)]
    for _ in range(2):
        watch.scan([*many, *few], now, 0.1)
    found = audited(watch.report, set())
    assert {group.check: group.count for group in found.groups} == {
        "ledgers_have_no_gaps": 3,
        "nothing_is_overdue": 3000,
    }
    assert found.count == 3003


def test_every_check_of_the_auditor_has_a_title_and_an_advice_in_both_languages() -> None:
    assert set(WRONG) == set(CHECKS)
    for kind, text in WRONG.values():
        for english in (text, ADVICE[kind]):
            with using_locale(PageLocale("fr")):
                assert gettext(english) != english


def test_a_queue_shows_how_long_its_oldest_waits() -> None:
    fine = figures(
        {"name": "q", "messages_ready": 6, "consumers": 1, "message_stats": {"ack_details": {"rate": 3.0}}}
    )
    assert fine == QueueFigures(6, 0, 1, 0.0, 3.0, 0.0)
    still = QueueFigures(
        ready=4, in_hand=0, consumers=0, in_per_second=1, out_per_second=0, redelivered_per_second=0
    )
    counted, stuck = {"orders.payments": fine, "payments.orders": still}, Stuck()
    for now in (100.0, 130.0):
        rows = {row.name: row for row in of_broker(SHOP, counted, {}, stuck, now)}
    moving, waiting = rows["orders.payments"], rows["payments.orders"]
    assert (moving.oldest_seconds, moving.is_least, moving.problem) == (2.0, False, "")
    assert (waiting.oldest_seconds, waiting.is_least, waiting.problem) == (30.0, True, "unheard")
    assert rows["notifier.orders"].problem == "missing"
    mine = {f"storefront.{SHOP}.shop": fine, "storefront.other.shop": fine}
    names = [row.name for row in of_broker(SHOP, mine, {}, stuck, 131.0)]
    assert [name for name in names if name.startswith("storefront")] == [f"storefront.{SHOP}.shop"]
    assert stuck.seconds("payments.orders", 0, 0, 140.0) is None


def test_a_stuck_queue_is_reported_only_after_a_while() -> None:
    held = QueueFigures(
        ready=1, in_hand=100, consumers=1, in_per_second=0, out_per_second=0, redelivered_per_second=0
    )
    stuck = Stuck()
    values = [
        of_broker(SHOP, {"orders.payments": held}, {}, stuck, now)[1].problem for now in (0.0, 10.0, 20.0)
    ]
    assert values == ["", "", "stuck"]


def test_times_are_abbreviated() -> None:
    with using_locale(PageLocale("en")):
        texts = [duration(one) for one in (None, 0.4, 59, 60, 3599, 7200, 86400, 200_000)]
    assert texts == ["–", "under 1 s", "59 s", "1 min", "59 min", "2 h", "1 day", "2 days"]


def test_what_can_be_replayed_is_what_is_consumed() -> None:
    queues = {queue for queue, _, _ in pairs()}
    assert "payments.orders" in queues
    assert not any("storefront" in queue for queue in queues)
    assert "orders.order.placed.v1" in kinds()
    assert not any(kind.startswith("storefront.") for kind in kinds())
