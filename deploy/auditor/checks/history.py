"""History: everything in the event logs and the commands is still stored, and nothing else was added.

The logs reach back as far as the retention; anything older is known from the rows only.
"""

from collections.abc import AsyncIterator

from contracts.catalogue import sent_by, type_of
from contracts.message import Command
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import BalanceChanged, RecordPayment
from contracts.payments.refunds import GrantCredit
from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, table
from deploy.auditor.retention import reach_of

COMMANDS = [entry.type for entry in sent_by("orders") if issubclass(entry.message, Command)]
POSTING = [type_of(message, "orders") for message in (RecordPayment, GrantCredit)]
"""Commands that post an entry of their own. A reversal of a reversed payment is done without one."""


@check
async def placed_orders_are_kept(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each order with an OrderPlaced in the log has its submission and activity, or was deleted by a person."""
    for row in await inputs.orders.fetch(
        """SELECT e.shop, e.subject, concat_ws(', ', CASE WHEN o.order_id IS NULL THEN 'the order' END,
               CASE WHEN s.submission_id IS NULL THEN 'the submission' END,
               CASE WHEN a.order_id IS NULL THEN 'the activity' END) AS missing
           FROM msg.event_log e
           LEFT JOIN orders o ON o.shop = e.shop AND o.order_id::text = e.subject AND o.stage = 'placed'
           LEFT JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
           LEFT JOIN activity a ON (a.shop, a.order_id, a.kind) = (o.shop, o.order_id, 'order_placed')
           LEFT JOIN deleted_order d ON d.shop = e.shop AND d.order_id::text = e.subject
           WHERE e.type = $1 AND d.order_id IS NULL
             AND (o.order_id IS NULL OR s.submission_id IS NULL OR a.order_id IS NULL)""",
        type_of(OrderPlaced, "orders"),
    ):
        yield Finding(
            f"placed order {shown((row['shop'], row['subject']))}", "kept", f"missing: {row['missing']}"
        )


@check
async def causes_of_orders_were_received(inputs: Inputs) -> AsyncIterator[Finding]:
    """The submission of each order is in the inbox, as far back as the inbox goes."""
    inbox = await reach_of(inputs.orders, "inbox")
    for row in await inputs.orders.fetch(
        """SELECT e.shop, e.subject, e.causation_id FROM msg.event_log e
           WHERE e.type = $1 AND e.causation_id >= $2
             AND NOT EXISTS (SELECT FROM msg.inbox i WHERE i.event_id = e.causation_id)
             AND NOT EXISTS (SELECT FROM msg.parked p WHERE p.event_id = e.causation_id)""",
        type_of(OrderPlaced, "orders"),
        inbox.first,
    ):
        where = f"submission {row['causation_id']} of order {shown((row['shop'], row['subject']))}"
        yield Finding(where, "in the inbox of orders", "not there")


@check
async def commands_sent_are_kept(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each command in the log is stored with its outcome, except for deleted orders."""
    for row in await inputs.orders.fetch(
        """SELECT e.shop, e.id, e.type, e.subject FROM msg.event_log e LEFT JOIN command c ON c.command_id = e.id
           LEFT JOIN deleted_order d ON d.shop = e.shop AND d.order_id::text = e.subject
           WHERE e.type = ANY($1) AND c.command_id IS NULL AND d.order_id IS NULL""",
        COMMANDS,
    ):
        yield Finding(
            f"{row['type']} {row['id']} for {shown((row['shop'], row['subject']))}", "kept", "no row"
        )


@check
async def money_by_hand_has_its_command(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each entry by hand names the command that caused it, and each such command that is done has its entry."""
    log = await reach_of(inputs.orders, "event_log")
    entries = await inputs.payments.fetch(
        """SELECT shop, order_id, id, kind, caused_by, recorded_at FROM ledger_entry
           WHERE source = 'manual' AND provider = 'manual'"""
    )
    caused = {row["caused_by"] for row in entries}
    known = {  # public: a payment that is moved concerns two orders, its command is of one
        row["command_id"]
        for row in await inputs.orders.fetch(
            "SELECT command_id FROM public.command WHERE command_id = ANY($1)", list(caused)
        )
    }
    deleted = await table(inputs.orders, "SELECT shop, order_id FROM deleted_order")
    for row in entries:
        is_known = row["caused_by"] in known or (row["shop"], row["order_id"]) in deleted
        if not is_known and log.covers(row["recorded_at"]):
            where = f"{row['kind']} {row['id']} of order {shown((row['shop'], row['order_id']))}"
            yield Finding(where, "a command that caused it", f"no command {row['caused_by']}")
    for row in await inputs.orders.fetch(
        "SELECT command_id, shop, order_id, type FROM command WHERE type = ANY($1) AND state = 'done'",
        POSTING,
    ):
        if row["command_id"] not in caused:
            where = f"{row['type']} {row['command_id']} for order {shown((row['shop'], row['order_id']))}"
            yield Finding(where, "an entry of the ledger", "none")


@check
async def accounts_count_their_facts(inputs: Inputs) -> AsyncIterator[Finding]:
    """An account's version is its floor and the number of its facts: entries, attempts, refunds, disputes, remarks."""
    source = await table(
        inputs.payments,
        """SELECT shop, order_id, (version_floor + refund_facts
               + (SELECT count(*) FROM ledger_entry e WHERE (e.shop, e.order_id) = (a.shop, a.order_id))
               + (SELECT count(*) FROM attempt t WHERE (t.shop, t.order_id) = (a.shop, a.order_id))
               + (SELECT count(*) FROM dispute_report d WHERE (d.shop, d.order_id) = (a.shop, a.order_id))
               + (SELECT count(*) FROM dispute_movement d WHERE (d.shop, d.order_id) = (a.shop, a.order_id))
               + (SELECT count(*) FROM dispute_alarm d WHERE (d.shop, d.order_id) = (a.shop, a.order_id))
               + (SELECT count(d.resolution) FROM dispute d WHERE (d.shop, d.order_id) = (a.shop, a.order_id))
               + (SELECT count(*) FROM remark m WHERE (m.shop, m.order_id) = (a.shop, a.order_id)))::bigint AS version
           FROM account a""",
    )
    copy = await table(inputs.payments, "SELECT shop, order_id, version FROM account")
    for finding in compare("facts of the account", source, copy):
        yield finding


@check
async def published_entries_are_kept(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each entry that payments published is in its ledger, with the same amount."""
    for row in await inputs.payments.fetch(
        """SELECT l.shop, l.subject, t.entry_id, t.kind, t.amount_minor, e.kind AS kept_kind,
               e.amount_minor AS kept
           FROM msg.event_log l
           CROSS JOIN LATERAL jsonb_to_recordset(convert_from(l.body, 'UTF8')::jsonb -> 'entries')
               AS t (entry_id uuid, kind text, amount_minor bigint)
           LEFT JOIN ledger_entry e ON e.id = t.entry_id
           WHERE l.type = $1 AND (e.kind, e.amount_minor) IS DISTINCT FROM (t.kind, t.amount_minor)""",
        type_of(BalanceChanged, "payments"),
    ):
        where = f"entry {row['entry_id']} of order {shown((row['shop'], row['subject']))}"
        found = (
            "not in the ledger" if row["kept"] is None else f"{row['kept_kind']} {row['kept']} in the ledger"
        )
        yield Finding(where, f"{row['kind']} {row['amount_minor']} in the ledger", found)
