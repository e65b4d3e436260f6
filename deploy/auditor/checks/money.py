"""Money: ledgers, accounts, webhooks and the copies in orders agree."""

from collections import Counter
from collections.abc import AsyncIterator

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, living, table

SUMS = {
    "due_minor": {"order_total": 1, "due_increased": 1},
    "credited_minor": {"credit_granted": 1, "credit_reversed": -1},
    "received_minor": {"payment_received": 1, "payment_reversed": -1, "transfer_in": 1, "transfer_out": -1},
    "refunded_minor": {"refund_paid": 1, "refund_failed": -1},
    "marked_minor": {"refund_marked": 1, "refund_mark_reversed": -1},
    "disputed_minor": {"disputed": 1, "dispute_won": -1, "dispute_lost": -1},
    "authorised_minor": {"authorised": 1, "authorisation_released": -1},
}
"""Entry kinds that raise and lower each sum of an account."""
RAISING = [
    "order_total",
    "due_increased",
    "credit_reversed",
    "payment_reversed",
    "transfer_out",
    "refund_paid",
    "refund_marked",
]
LOWERING = [
    "credit_granted",
    "payment_received",
    "transfer_in",
    "refund_failed",
    "refund_mark_reversed",
]
"""Entry kinds that raise and lower what the customer owes."""
POSITION = (
    "due_minor, credited_minor, received_minor, received_by_hand_minor, refunded_minor, marked_minor, "
    "disputed_minor, authorised_minor, balance_minor, attempt"
)


@check
async def accounts_equal_their_ledgers(inputs: Inputs) -> AsyncIterator[Finding]:
    """Every sum of an account is the sum of its ledger entries, and the balance follows from the sums."""
    counted: dict[tuple[str, str], Counter[str]] = {}
    for row in await inputs.payments.fetch(
        "SELECT shop, order_id, kind, sum(amount_minor)::bigint AS amount FROM ledger_entry GROUP BY 1, 2, 3"
    ):
        sums = counted.setdefault((row["shop"], row["order_id"]), Counter())
        for column, signs in SUMS.items():
            sums[column] += signs.get(row["kind"], 0) * row["amount"]
    accounts = await table(inputs.payments, f"SELECT shop, order_id, {POSITION} FROM account")  # noqa: S608
    for key, account in accounts.items():
        sums = counted.pop(key, Counter())
        balance = sums["due_minor"] - sums["credited_minor"] - sums["received_minor"]
        sums["balance_minor"] = balance + sums["refunded_minor"] + sums["marked_minor"]
        expected = {column: sums[column] for column in (*SUMS, "balance_minor")}
        found = {column: account[column] for column in expected}
        for finding in compare("payments.account", {key: expected}, {key: found}):
            yield finding
    for key in counted:
        yield Finding(f"payments.ledger_entry {shown(key)}", "an account", "entries without one")


@check
async def accounts_owe_what_was_ordered(inputs: Inputs) -> AsyncIterator[Finding]:
    """The order total in the ledger is the order's own before its edits, once, in the order's currency."""
    source = await table(
        inputs.orders,
        """SELECT shop, order_id, currency, total_minor - coalesce((
               SELECT sum(total_after_minor - total_before_minor) FROM order_edit e
               WHERE (e.shop, e.order_id) = (o.shop, o.order_id) AND e.state = 'done'), 0)::bigint AS total_minor
           FROM orders o WHERE stage = 'placed'""",
    )
    copy = await table(
        inputs.payments,
        """SELECT shop, order_id, sum(amount_minor)::bigint AS total_minor, min(currency) AS currency
           FROM ledger_entry WHERE kind = 'order_total' GROUP BY 1, 2""",
    )
    for finding in compare("order total of", source, await living(inputs, copy)):
        yield finding
    for row in await inputs.payments.fetch(
        """SELECT a.shop, a.order_id, a.currency, e.currency AS other FROM account a
           JOIN ledger_entry e USING (shop, order_id) WHERE e.currency <> a.currency"""
    ):
        where = f"ledger entry of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, row["currency"], row["other"])


@check
async def ledgers_have_no_gaps(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each ledger is numbered from 1 without gaps."""
    for row in await inputs.payments.fetch(
        """SELECT shop, order_id, count(*) AS entries, min(number) AS first, max(number) AS last
           FROM ledger_entry GROUP BY 1, 2 HAVING min(number) <> 1 OR max(number) <> count(*)"""
    ):
        where = f"ledger of {shown((row['shop'], row['order_id']))}"
        found = f"{row['entries']} entries, numbered {row['first']} to {row['last']}"
        yield Finding(where, f"1 to {row['entries']}", found)


@check
async def orders_know_every_position(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of each account's position is payments' latest."""
    columns = f"SELECT shop, order_id, {POSITION}, "
    flags = 'ARRAY(SELECT f FROM unnest({}) AS f ORDER BY f COLLATE "C") AS flags'
    source = await table(
        inputs.payments, columns + f"version::int AS version, {flags.format('flags')} FROM account"
    )
    copy = await table(
        inputs.orders,
        columns + f"payment_version AS version, {flags.format('payment_flags')} FROM orders"
        " WHERE stage = 'placed'",
    )
    for finding in compare("orders' copy of the account of", await living(inputs, source), copy):
        yield finding


@check
async def orders_know_every_entry(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the ledger is payments' ledger, entry by entry, with its running balance."""
    key = ("shop", "order_id", "entry_id")
    columns = (
        "number, kind, method, amount_minor, currency, reference, received_on, clearing_on, note, occurred_at"
    )
    source = await table(
        inputs.payments,
        f"""SELECT shop, order_id, id AS entry_id, {columns}, actor AS recorded_by,
                CASE WHEN provider NOT IN ('manual', 'order') THEN provider END AS provider,
                CASE WHEN provider NOT IN ('manual', 'order') THEN object_id END AS provider_reference,
                sum(amount_minor * CASE WHEN kind = ANY($1) THEN 1 WHEN kind = ANY($2) THEN -1 ELSE 0 END)
                    OVER (PARTITION BY shop, order_id ORDER BY number)::bigint AS balance_minor
            FROM ledger_entry""",  # noqa: S608
        RAISING,
        LOWERING,
        key=key,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT shop, order_id, entry_id, {columns}, recorded_by, provider, provider_reference, balance_minor
            FROM ledger_entry""",  # noqa: S608
        key=key,
    )
    for finding in compare("orders' copy of the ledger entry", await living(inputs, source), copy):
        yield finding


@check
async def webhooks_add_up(inputs: Inputs) -> AsyncIterator[Finding]:
    """Received webhooks are the sum of their ends, and none is left unread."""
    for row in await inputs.payments.fetch(
        """SELECT provider, endpoint, sum(deliveries) AS received,
                  sum(deliveries - 1) + count(*) FILTER (WHERE state IN ('applied', 'duplicate', 'irrelevant',
                                                                         'waiting', 'parked')) AS ended,
                  count(*) FILTER (WHERE state = 'received') AS unread
           FROM webhook GROUP BY 1, 2"""
    ):
        if row["received"] != row["ended"]:
            where = f"webhooks of {row['provider']} at {row['endpoint']}"
            yield Finding(where, f"{row['received']} ended", f"{row['ended']} ended, {row['unread']} unread")


@check
async def no_webhook_failed(inputs: Inputs) -> AsyncIterator[Finding]:
    """No webhook is parked because of an unexpected error."""
    for row in await inputs.payments.fetch(
        "SELECT id, event_type, event_id, detail FROM webhook WHERE state = 'parked' AND reason = 'failed'"
    ):
        where = f"webhook {row['id']} ({row['event_type']} {row['event_id']})"
        yield Finding(where, "applied", f"failed: {(row['detail'] or '')[:300]}")


COUNTED_OTHERWISE = ("ISK", "MGA", "UGX")
"""Currencies that Stripe counts in other units than ISO 4217: their sums are not compared."""


@check
async def received_amounts_are_the_providers(inputs: Inputs) -> AsyncIterator[Finding]:
    """The amount that Stripe reports for a payment of a known order is the ledger's, to the minor unit.

    Waiting and parked webhooks are visible to people; one set aside although its order is known counts here. A paid
    charge or session reports on its intent, if it has one. A payment of which retention deleted a webhook's content is
    left out: the remaining webhooks report it only in part.
    """
    for row in await inputs.payments.fetch(
        """WITH told AS (
               SELECT w.shop, w.state, event_type, convert_from(w.body, 'UTF8')::jsonb -> 'data' -> 'object' AS thing
               FROM webhook w
               WHERE provider = 'stripe' AND state IN ('applied', 'duplicate', 'irrelevant') AND length(body) > 2
                 AND (event_type LIKE 'payment_intent.%' OR event_type IN (
                     'charge.succeeded', 'charge.captured', 'checkout.session.completed',
                     'checkout.session.async_payment_succeeded'))),
           sums AS (
               SELECT shop, state, upper(thing ->> 'currency') AS currency,
                   CASE thing ->> 'object' WHEN 'charge' THEN coalesce(thing ->> 'payment_intent', thing ->> 'id')
                        WHEN 'checkout.session' THEN thing ->> 'payment_intent' ELSE thing ->> 'id' END AS object,
                   CASE thing ->> 'object'
                       WHEN 'charge' THEN CASE WHEN thing ->> 'status' = 'succeeded'
                                               THEN (thing ->> 'amount_captured')::bigint END
                       WHEN 'checkout.session' THEN CASE WHEN thing ->> 'payment_status' = 'paid'
                                                         THEN (thing ->> 'amount_total')::bigint END
                       ELSE (thing ->> 'amount_received')::bigint END AS received
               FROM told),
           said AS (
               SELECT shop, object, min(currency) AS currency, max(received) AS received FROM sums
               WHERE object IS NOT NULL AND (state <> 'irrelevant' OR EXISTS (
                   SELECT FROM provider_object o
                   WHERE (o.shop, o.provider, o.object_id) = (sums.shop, 'stripe', sums.object)))
               GROUP BY 1, 2),
           booked AS (
               SELECT shop, object_id AS object, sum(amount_minor)::bigint AS received FROM ledger_entry
               WHERE provider = 'stripe' AND kind = 'payment_received' GROUP BY 1, 2)
           SELECT shop, object, currency, said.received AS said, coalesce(booked.received, 0) AS booked
           FROM said LEFT JOIN booked USING (shop, object)
           WHERE coalesce(said.received, 0) <> coalesce(booked.received, 0) AND currency <> ALL($1)
             AND NOT EXISTS (
               SELECT FROM webhook w WHERE (w.shop, w.provider) = (said.shop, 'stripe') AND length(w.body) <= 2
                 AND (w.object_id = said.object OR w.order_id IN (
                     SELECT order_id FROM provider_object o
                     WHERE (o.shop, o.provider, o.object_id) = (said.shop, 'stripe', said.object)
                     UNION ALL SELECT order_id FROM ledger_entry e
                     WHERE (e.shop, e.provider, e.object_id) = (said.shop, 'stripe', said.object))))""",
        list(COUNTED_OTHERWISE),
    ):
        where = f"payment {row['object']} of {row['shop']}"
        yield Finding(where, f"{row['said']} {row['currency']} received", f"{row['booked']} in the ledger")


@check
async def refunds_in_webhooks_are_recorded(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each refund in an applied webhook, or in one set aside although its payment is known, is recorded."""
    for row in await inputs.payments.fetch(
        """WITH told AS (
               SELECT shop, state, convert_from(body, 'UTF8')::jsonb -> 'data' -> 'object' AS thing FROM webhook
               WHERE provider = 'stripe' AND state IN ('applied', 'duplicate', 'irrelevant') AND length(body) > 2
                 AND (event_type LIKE 'refund.%' OR event_type = 'charge.refund.updated'))
           SELECT DISTINCT shop, thing ->> 'id' AS refund, thing ->> 'amount' AS amount FROM told
           WHERE (state <> 'irrelevant' OR EXISTS (
                   SELECT FROM provider_object o WHERE (o.shop, o.provider) = (told.shop, 'stripe')
                     AND o.object_id = coalesce(told.thing ->> 'payment_intent', told.thing ->> 'charge')))
             AND NOT EXISTS (SELECT FROM provider_refund r
                             WHERE (r.shop, r.provider, r.object_id) = (told.shop, 'stripe', told.thing ->> 'id'))"""
    ):
        yield Finding(f"refund {row['refund']} of {row['shop']}", f"{row['amount']} recorded", "not recorded")


@check
async def no_accepted_webhook_is_lost(inputs: Inputs) -> AsyncIterator[Finding]:
    """Every webhook that was answered with 2xx is stored, as often as it was posted."""
    if inputs.journals.accepted_webhooks is None:
        return
    posted = Counter(inputs.journals.accepted_webhooks)
    kept: Counter[str] = Counter()
    for row in await inputs.payments.fetch("SELECT event_id, deliveries FROM webhook"):
        kept[_provider_event_id(row["event_id"])] += row["deliveries"]
    for event_id, times in sorted(posted.items()):
        if kept[event_id] < times:
            yield Finding(f"webhook {event_id}", f"{times} deliveries", f"{kept[event_id]} kept")


def _provider_event_id(stored: str) -> str:
    """Return the provider's own id of an event, which is stored with its type (PayPal) or its content's hash."""
    return stored.partition(":")[0].partition("#")[0]


@check
async def webhook_entries_name_their_webhook(inputs: Inputs) -> AsyncIterator[Finding]:
    """An entry from a webhook names a stored webhook that is recorded as applied."""
    for row in await inputs.payments.fetch(
        """SELECT e.shop, e.order_id, e.id, e.caused_by, w.state, w.reason FROM ledger_entry e
           LEFT JOIN webhook w ON w.id = e.caused_by
           WHERE e.source IN ('webhook', 'reconcile') AND (w.id IS NULL OR w.state <> 'applied')"""
    ):
        where = f"ledger entry {row['id']} of {shown((row['shop'], row['order_id']))}"
        found = "no webhook" if row["state"] is None else f"{row['state']} ({row['reason']})"
        yield Finding(where, "the webhook that caused it", f"{found} {row['caused_by']}")
