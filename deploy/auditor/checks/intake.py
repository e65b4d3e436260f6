"""Intake: every submission is answered, and every service knows every order."""

from collections import Counter
from collections.abc import AsyncIterator

from contracts.catalogue import STOREFRONT, type_of
from contracts.storefront import OrderAccepted, OrderRefused
from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, living, table
from deploy.auditor.retention import reach_of, timestamp_of

ANSWERS = [type_of(OrderAccepted, "orders"), type_of(OrderRefused, "orders")]


@check
async def every_submission_is_answered(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each sale from a storefront was accepted or refused exactly once, or is parked and visible.

    Two modules, or two sales of one, may use one event id: each of them has its inbox row and its answer. Messages
    about a checkout are no sales: its activity records them. Answers older than the event log are not checked.
    """
    log = await reach_of(inputs.orders, "event_log")
    rows = await inputs.orders.fetch(
        "SELECT event_id FROM msg.inbox WHERE (source = $1 OR source LIKE $1 || '/%') AND event_id >= $2",
        f"/{STOREFRONT}",
        log.first,
    )
    wanted = Counter(row["event_id"] for row in rows)
    report = await inputs.orders.fetch(
        """SELECT cause_id FROM activity WHERE kind IN ('checkout_opened', 'checkout_dropped')
           UNION SELECT unnest(heard) FROM deleted_order"""
    )
    submitted = {row["event_id"] for row in rows} - {row["cause_id"] for row in report}
    submitted |= set(inputs.journals.submitted or ())
    submitted = {event_id for event_id in submitted if log.covers(timestamp_of(event_id))}
    answered = Counter(
        row["causation_id"]
        for row in await inputs.orders.fetch(
            "SELECT causation_id FROM msg.event_log WHERE type = ANY($1)", ANSWERS
        )
    )
    parked = {row["event_id"] for row in await inputs.orders.fetch("SELECT event_id FROM msg.parked")}
    for event_id in sorted(submitted):
        answers = answered[event_id]
        expected = max(wanted[event_id], 1)
        if answers != expected and not (answers < expected and event_id in parked):
            yield Finding(f"submission {event_id}", f"answers: {expected}", f"{answers}, not parked")


@check
async def every_claimed_key_is_an_order(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each idempotency key belongs to the sale that was placed with it, unless that order was deleted."""
    rows = await inputs.orders.fetch(
        """SELECT s.shop, s.submission_id, s.idempotency_key
           FROM submission s
           LEFT JOIN orders o ON (o.shop, o.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id))
               AND (o.stage, o.module, o.idempotency_key) = ('placed', s.module, s.idempotency_key)
           LEFT JOIN deleted_order d ON (d.shop, d.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id))
           WHERE o.order_id IS NULL AND d.order_id IS NULL"""
    )
    for row in rows:
        where = f"key {row['shop']} {row['idempotency_key']} of submission {row['submission_id']}"
        yield Finding(where, "an order", "none")


@check
async def every_order_is_known_everywhere(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders, payments, fulfillment and notifier know the same orders under the same codes."""
    source = await table(inputs.orders, "SELECT shop, order_id, code FROM orders WHERE stage = 'placed'")
    for service, name in (
        ("payments", "account"),
        ("fulfillment", "fulfilment_order"),
        ("notifier", "addressee"),
    ):
        copy = await table(inputs.connections[service], f"SELECT shop, order_id, code FROM {name}")  # noqa: S608
        for finding in compare(f"{service}.{name}", source, await living(inputs, copy)):
            yield finding


@check
async def every_line_is_known_to_fulfillment(inputs: Inputs) -> AsyncIterator[Finding]:
    """Fulfillment has exactly the lines that were ordered."""
    key = ("shop", "order_id", "line")
    source = await table(
        inputs.orders,
        """SELECT shop, order_id, line, l.kind, sku, quantity + reduced AS ordered
           FROM order_line l JOIN orders o USING (shop, order_id) WHERE o.stage = 'placed'""",
        key=key,
    )
    copy = await table(
        inputs.fulfillment, "SELECT shop, order_id, line, kind, sku, ordered FROM order_line", key=key
    )
    for finding in compare("fulfillment.order_line", source, await living(inputs, copy)):
        yield finding


@check
async def lines_add_up_to_their_order(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each order has lines, numbered from 1 without gaps."""
    rows = await inputs.orders.fetch(
        """SELECT o.shop, o.order_id, count(l.line) AS lines, coalesce(max(l.line), 0) AS last
           FROM orders o LEFT JOIN order_line l USING (shop, order_id) WHERE o.stage = 'placed'
           GROUP BY o.shop, o.order_id HAVING count(l.line) = 0 OR count(l.line) <> max(l.line)"""
    )
    for row in rows:
        where = f"order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "lines 1 to n", f"{row['lines']} lines, the last is {row['last']}")
