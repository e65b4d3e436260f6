"""The ledger is as it was written, and disputed money is in it as the provider moved it.

Each entry's hash, and each day's closing, follows from what it covers.

Written from the description in payments' README, without its code. An entry of an earlier version has no hash until
payments has chained it; it is looked at afterwards.
"""

from collections.abc import AsyncIterator

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, living, table

MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
ENTRY = (
    *(
        "id",
        "shop",
        "order_id",
        "number",
        "kind",
        "amount_minor",
        "currency",
        "provider",
        "object_id",
        "step",
    ),
    *("method", "source", "caused_by", MICROSECONDS.format("occurred_at"), "received_on", "clearing_on"),
    *("reference", "note", "actor", "payment", MICROSECONDS.format("recorded_at")),
)
CLOSING = (
    *("shop", "day", "accounts", "entries", "totals", "encode(heads, 'hex')"),
    MICROSECONDS.format("closed_at"),
)
LATEST = 3
"""So many closings of each shop are compared with the entries of their day; all of them with each other."""


def _covered(columns: tuple[str, ...]) -> str:
    """Return the bytes that a hash covers, as an SQL expression."""
    parts = (f"coalesce(octet_length(({one})::text) || ':' || ({one})::text, '-')" for one in columns)
    return f"convert_to({' || '.join(parts)}, 'UTF8')"


@check
async def ledgers_are_chained(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each entry's hash follows from its content and the hash of the entry before it in its account."""
    for row in await inputs.payments.fetch(
        f"""SELECT shop, order_id, number, hash, expected FROM (
                SELECT shop, order_id, number, hash, lag(id) OVER w IS NOT NULL AS follows, lag(hash) OVER w AS before,
                    sha256(coalesce(lag(hash) OVER w, '') || {_covered(ENTRY)}) AS expected
                FROM ledger_entry
                WINDOW w AS (PARTITION BY shop, order_id ORDER BY number)) AS chained
            WHERE hash <> expected AND NOT (follows AND before IS NULL)"""  # noqa: S608
    ):
        where = f"entry {row['number']} of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"hash {row['expected'].hex()}", f"hash {row['hash'].hex()}")


@check
async def closings_are_chained(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each day's closing follows from its content and the closing of the day before, and no day is left out."""
    for row in await inputs.payments.fetch(
        f"""SELECT shop, day, hash, expected, before FROM (
                SELECT shop, day, hash, lag(day) OVER w AS before,
                    sha256(coalesce(lag(hash) OVER w, '') || {_covered(CLOSING)}) AS expected
                FROM ledger_closing WINDOW w AS (PARTITION BY shop ORDER BY day)) AS chained
            WHERE hash <> expected OR day <> before + 1"""  # noqa: S608
    ):
        found = f"hash {row['hash'].hex()}, after {row['before']}"
        yield Finding(f"closing {row['day']} of {row['shop']}", f"hash {row['expected'].hex()}", found)


@check
async def closings_hold_what_was_recorded(inputs: Inputs) -> AsyncIterator[Finding]:
    """The latest closings cover exactly the entries that were recorded on their days."""
    for row in await inputs.payments.fetch(
        """SELECT c.shop, c.day, c.entries, c.accounts, c.heads, e.entries AS found, h.accounts AS touched,
               h.heads AS expected
           FROM (SELECT *, row_number() OVER (PARTITION BY shop ORDER BY day DESC) AS place,
                     day::timestamp AT TIME ZONE 'UTC' AS since FROM ledger_closing) AS c
           CROSS JOIN LATERAL (
               SELECT count(*) AS entries FROM public.ledger_entry
               WHERE shop = c.shop AND recorded_at >= c.since AND recorded_at < c.since + interval '1 day') AS e
           CROSS JOIN LATERAL (
               SELECT count(*) AS accounts, sha256(coalesce(string_agg(
                   uuid_send(order_id) || convert_to(number || ':', 'UTF8') || hash, '' ORDER BY order_id), ''))
                   AS heads
               FROM (SELECT DISTINCT ON (order_id) order_id, number, hash FROM public.ledger_entry
                     WHERE shop = c.shop AND recorded_at >= c.since AND recorded_at < c.since + interval '1 day'
                     ORDER BY order_id, number DESC) AS head) AS h
           WHERE c.place <= $1
             AND (c.entries, c.accounts, c.heads) IS DISTINCT FROM (e.entries, h.accounts, h.heads)""",
        LATEST,
    ):
        closed = f"{row['entries']} entries of {row['accounts']} accounts, heads {row['heads'].hex()}"
        found = f"{row['found']} entries of {row['touched']} accounts, heads {row['expected'].hex()}"
        yield Finding(f"closing {row['day']} of {row['shop']}", closed, found)


@check
async def disputed_money_is_in_the_ledger(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each movement of disputed money is one entry of its amount, and a decided dispute holds no money any more."""
    for row in await inputs.payments.fetch(
        """SELECT m.shop, m.order_id, m.object_id, m.direction, m.amount_minor, e.kind, e.amount_minor AS booked
           FROM dispute_movement m LEFT JOIN ledger_entry e
               ON (e.shop, e.provider, e.object_id) = (m.shop, m.provider, m.object_id)
              AND e.kind = CASE m.direction WHEN 'withdrawn' THEN 'disputed' ELSE 'dispute_won' END
           WHERE m.amount_minor <> coalesce(e.amount_minor, 0)"""
    ):
        where = f"{row['object_id']} of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"{row['direction']} {row['amount_minor']}", f"{row['booked']} in the ledger")
    for row in await inputs.payments.fetch(
        """SELECT d.shop, d.order_id, d.object_id, d.state, d.resolution, d.held_minor, e.held FROM dispute d
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(amount_minor * CASE kind WHEN 'disputed' THEN 1 WHEN 'dispute_won' THEN -1
                                                   WHEN 'dispute_lost' THEN -1 ELSE 0 END), 0)::bigint AS held
               FROM ledger_entry x WHERE (x.shop, x.order_id, x.provider, x.reference)
                                       = (d.shop, d.order_id, d.provider, d.object_id)) AS e
           WHERE e.held <> CASE WHEN d.resolution IS NOT NULL AND d.state IN ('lost', 'accepted') THEN 0
                                ELSE d.held_minor END"""
    ):
        where = f"dispute {row['object_id']} of order {shown((row['shop'], row['order_id']))}"
        expected = 0 if row["resolution"] else row["held_minor"]
        yield Finding(where, f"{expected} held ({row['state']})", f"{row['held']} in the ledger")


@check
async def orders_know_every_dispute(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of each dispute is payments' latest."""
    key = ("shop", "order_id", "provider", "reference")
    columns = "state, due_at, is_due_soon, resolution, resolved_by, note"
    source = await table(
        inputs.payments,
        f"""SELECT shop, order_id, provider, object_id AS reference, {columns}, held_minor FROM dispute""",  # noqa: S608
        key=key,
    )
    copy = await table(
        inputs.orders,
        f"""SELECT shop, order_id, provider, provider_reference AS reference, {columns},
                withdrawn_minor - reinstated_minor AS held_minor FROM dispute""",  # noqa: S608
        key=key,
    )
    for finding in compare("orders' copy of the dispute", await living(inputs, source), copy):
        yield finding
