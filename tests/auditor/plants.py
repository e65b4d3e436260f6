"""Damage to plant: one for every check, each with the checks that must see it and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.envelope import uuid7
from deploy.auditor.inputs import Inputs, Journals

Plant = Callable[[Inputs], Awaitable[Inputs]]


@dataclass(frozen=True)
class Damage:
    """What is broken, and by which checks it is seen: exactly by these."""

    what: str
    seen_by: frozenset[str]
    plant: Plant


DAMAGES: list[Damage] = []


def sql(what: str, *seen_by: str, **statements: str) -> None:
    """Damage by statements, one per service; each must change something."""

    async def plant(inputs: Inputs) -> Inputs:
        for service, statement in statements.items():
            for part in statement.split(";"):
                status = await inputs.connections[service].execute(part)
                assert not status.endswith(" 0"), f"{part} planted nothing"
        return inputs

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


def journal(what: str, *seen_by: str, change: Callable[[Journals], Journals]) -> None:
    """Damage to what the other side wrote down."""

    async def plant(inputs: Inputs) -> Inputs:
        return replace(inputs, journals=change(inputs.journals))

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


def expecting(what: str, *seen_by: str, change: Callable[[frozenset[UUID]], frozenset[UUID]]) -> None:
    """Other messages are expected to be parked."""

    async def plant(inputs: Inputs) -> Inputs:
        return replace(inputs, expected_parked=change(inputs.expected_parked))

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


# Intake
WHOLE_ORDER = {
    "orders": "order_line ledger_entry parcel shipment delivery mail activity order_search order_facet order_tag "
    "submission orders",
    "payments": "ledger_entry attempt provider_object webhook sale account",
    "fulfillment": "parcel_line shipment_parcel shipment parcel reservation order_line fulfilment_order",
    "notifier": "mail addressee",
}


async def delete_an_order(inputs: Inputs) -> Inputs:
    """Delete an order that is neither paid nor packed from every table of every service but the logs."""
    order_id = await inputs.orders.fetchval(
        """SELECT order_id FROM orders WHERE stage = 'placed' AND received_minor = 0 AND ship_packed = 0
           AND ship_ordered = 0 AND refunded_minor = 0 ORDER BY order_id LIMIT 1"""
    )
    assert order_id is not None
    for service, names in WHOLE_ORDER.items():
        for name in names.split():
            column = "submission_id" if name == "submission" else "order_id"
            await inputs.connections[service].execute(f"DELETE FROM {name} WHERE {column} = $1", order_id)  # noqa: S608
    return replace(inputs, journals=Journals())


DAMAGES.append(
    Damage(
        "an order is gone from all four databases",
        frozenset({"placed_orders_are_kept", "published_entries_are_kept"}),
        delete_an_order,
    )
)
sql(
    "an answer was never given",
    "every_submission_is_answered",
    orders="DELETE FROM msg.event_log WHERE id = (SELECT min(id::text)::uuid FROM msg.event_log "
    "WHERE type = 'orders.order.accepted.v1')",
)
journal(
    "a confirmed submission never arrived",
    "every_submission_is_answered",
    change=lambda kept: replace(kept, submitted=[*(kept.submitted or ()), uuid7()]),
)
sql(
    "a claimed key is nobody's",
    "every_claimed_key_is_an_order",
    orders="INSERT INTO submission (shop, module, idempotency_key, submission_id, content_hash, body, received_at) "
    "SELECT shop, module, idempotency_key, submission_id, content_hash, body, refused_at FROM refusal "
    "WHERE idempotency_key IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM submission s WHERE (s.shop, s.module, s.idempotency_key) "
    "= (refusal.shop, refusal.module, refusal.idempotency_key)) LIMIT 1",
)
sql(
    "an account bears another order's code",
    "every_order_is_known_everywhere",
    payments="UPDATE account SET code = 'WRONG' WHERE order_id = (SELECT order_id FROM account LIMIT 1)",
)
sql(
    "fulfillment would send another article",
    "every_line_is_known_to_fulfillment",
    fulfillment="UPDATE order_line SET sku = 'OTHER' WHERE ctid = (SELECT ctid FROM order_line "
    "WHERE kind = 'ship' LIMIT 1)",
)
sql(
    "a line number is missing",
    "lines_are_as_they_were_sold",
    "lines_add_up_to_their_order",
    "every_line_is_known_to_fulfillment",
    orders="UPDATE order_line SET line = line + 100 WHERE ctid = (SELECT ctid FROM order_line LIMIT 1)",
)

# Money
sql(
    "a credit is in the ledger but not in the account",
    "money_by_hand_has_its_command",
    "accounts_count_their_facts",
    "accounts_equal_their_ledgers",
    "orders_know_every_entry",
    payments="""INSERT INTO ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id,
                    step, source, caused_by, occurred_at, actor, recorded_at)
                SELECT gen_random_uuid(), shop, order_id, 1 + (SELECT max(number) FROM ledger_entry e
                           WHERE (e.shop, e.order_id) = (a.shop, a.order_id)),
                    'credit_granted', 1, currency, 'manual', 'planted', 0, 'manual', gen_random_uuid(), now(),
                    'nobody', now() FROM account a LIMIT 1""",
)
sql(
    "an order costs more than its account was told",
    "accounts_owe_what_was_ordered",
    orders="UPDATE orders SET total_minor = total_minor + 1 WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)
sql(
    "a ledger entry's number is skipped",
    "ledgers_have_no_gaps",
    "ledgers_are_chained",
    "orders_know_every_entry",
    payments="UPDATE ledger_entry SET number = 7 WHERE ctid = (SELECT ctid FROM ledger_entry WHERE number = 1 LIMIT 1)",
)
sql(
    "orders shows another position",
    "orders_know_every_position",
    orders="UPDATE orders SET authorised_minor = 1 WHERE ctid = (SELECT ctid FROM orders "
    "WHERE payment_status = 'paid' LIMIT 1)",
)
sql(
    "orders never heard of a ledger entry",
    "orders_know_every_entry",
    orders="DELETE FROM ledger_entry WHERE ctid = (SELECT ctid FROM ledger_entry LIMIT 1)",
)
sql(
    "a webhook was forgotten",
    "webhook_entries_name_their_webhook",
    "webhooks_add_up",
    payments="UPDATE webhook SET state = 'received' WHERE ctid = (SELECT ctid FROM webhook LIMIT 1)",
)
sql(
    "a webhook could not be applied",
    "webhook_entries_name_their_webhook",
    "no_webhook_failed",
    payments="UPDATE webhook SET state = 'parked', reason = 'failed', detail = 'planted' "
    "WHERE ctid = (SELECT ctid FROM webhook WHERE state = 'applied' LIMIT 1)",
)
sql(
    "less was booked than was paid",
    "received_amounts_are_the_providers",
    payments="""UPDATE webhook SET body = convert_to(
                    replace(convert_from(body, 'UTF8'), '"amount_received": ', '"amount_received": 9'), 'UTF8')
                WHERE ctid = (SELECT ctid FROM webhook WHERE state = 'applied'
                          AND event_type = 'payment_intent.succeeded' LIMIT 1)""",
)
journal(
    "a webhook was answered 200 and not kept",
    "no_accepted_webhook_is_lost",
    change=lambda kept: replace(kept, accepted_webhooks=[*(kept.accepted_webhooks or ()), "evt_planted"]),
)
sql(
    "money came from no webhook",
    "webhook_entries_name_their_webhook",
    "ledgers_are_chained",
    payments="UPDATE ledger_entry SET caused_by = gen_random_uuid() WHERE ctid = (SELECT ctid FROM ledger_entry "
    "WHERE source = 'webhook' LIMIT 1)",
)

sql(
    "the note of an entry was changed",
    "ledgers_are_chained",
    "orders_know_every_entry",
    payments="UPDATE ledger_entry SET note = 'planted' WHERE ctid = (SELECT ctid FROM ledger_entry LIMIT 1)",
)
CLOSING = """INSERT INTO ledger_closing (shop, day, accounts, entries, totals, heads, hash, closed_at)
             SELECT shop, day, {accounts}, 0, '[]', sha256(''), {hash}, now()
             FROM (SELECT shop, date '2020-01-01' AS day FROM account LIMIT 1) AS one"""
sql(
    "a closing was written by hand",
    "closings_are_chained",
    payments=CLOSING.format(accounts=0, hash="sha256('')"),
)
sql(
    "a closing holds an account that nothing was recorded of",
    "closings_hold_what_was_recorded",
    "closings_are_chained",
    payments=CLOSING.format(accounts=1, hash="sha256('')"),
)

# Invoices
INVOICE = """WITH one AS (SELECT a.*, gen_random_uuid() AS id FROM account a ORDER BY order_id LIMIT 1), written AS (
                 SELECT one.*, json_build_object('number', 'F2020-00001', 'kind', 'invoice', 'net_minor', {total},
                     'tax_minor', 0, 'total_minor', {total}, 'order_id', order_id)::text AS content FROM one)
             INSERT INTO invoice (id, shop, order_id, kind, year, position, number, issued_on, issued_at, currency,
                 net_minor, tax_minor, total_minor, content, digest)
             SELECT id, shop, order_id, 'invoice', 2020, 1, 'F2020-00001', date '2020-01-01', now(), currency, {total},
                 0, {total}, content, {digest} FROM written"""
SERIES = """INSERT INTO invoice_series (shop, kind, year, last, last_on)
            SELECT shop, 'invoice', 2020, {last}, date '2020-01-01' FROM account ORDER BY order_id LIMIT 1"""
LOOKED_AT = (
    "UPDATE sale SET is_due = false WHERE order_id = (SELECT order_id FROM account ORDER BY order_id LIMIT 1)"
)
RIGHT = "encode(sha256(convert_to(content, 'UTF8')), 'hex')"
OWED = "due_minor - credited_minor"
sql(
    "a number of an invoice was left out",
    "invoices_have_no_gaps",
    payments=SERIES.format(last=1),
)
sql(
    "an invoice was changed after it was issued",
    "invoices_are_as_they_were_issued",
    "orders_know_every_invoice",
    payments=";".join((SERIES.format(last=1), INVOICE.format(total=OWED, digest="'00'"))),
)
sql(
    "an invoice is not over what its order costs",
    "invoices_equal_their_orders",
    "orders_know_every_invoice",
    payments=";".join((SERIES.format(last=1), INVOICE.format(total=f"{OWED} + 1", digest=RIGHT), LOOKED_AT)),
)
# Disputes
sql(
    "disputed money is in no ledger",
    "disputed_money_is_in_the_ledger",
    "accounts_count_their_facts",
    payments="""INSERT INTO dispute_movement (shop, order_id, provider, object_id, dispute, payment, direction,
                    amount_minor, fee_minor, fee_currency, occurred_at)
                SELECT shop, order_id, 'stripe', 'txn_planted', 'du_planted', 'pi_planted', 'withdrawn', 5, 0, 'EUR',
                    now() FROM account LIMIT 1""",
)
DISPUTE = """INSERT INTO dispute (shop, provider, object_id, order_id, state, is_due_soon, held_minor)
             SELECT shop, 'stripe', 'du_planted', order_id, 'needs_response', false, {held} FROM account LIMIT 1"""
sql("orders never heard of a dispute", "orders_know_every_dispute", payments=DISPUTE.format(held=0))
sql(
    "a dispute holds money that the ledger does not",
    "disputed_money_is_in_the_ledger",
    "orders_know_every_dispute",
    payments=DISPUTE.format(held=5),
)

# Refunds and transfers
ENTRY = """INSERT INTO ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id,
               step, source, caused_by, occurred_at, actor, recorded_at, payment)
           SELECT gen_random_uuid(), shop, order_id, 1 + (SELECT max(number) FROM ledger_entry e
                      WHERE (e.shop, e.order_id) = (a.shop, a.order_id)),
               '{kind}', {amount}, currency, '{provider}', '{object}', 0, '{source}', {cause}, now(), 'nobody',
               now(), {payment} FROM account a {which} LIMIT 1"""
sql(
    "a refund at the provider is in no ledger",
    "refunds_at_the_provider_are_in_the_ledger",
    payments="""INSERT INTO provider_refund (shop, provider, object_id, order_id, payment_object, amount_minor, made_at,
                    states, is_duplicate)
                SELECT shop, 'stripe', 're_planted', order_id, 'pi_x', 500, now(), array['pending', 'succeeded'], false
                FROM account LIMIT 1""",
)
PLANTED_REFUND = ENTRY.format(
    kind="refund_paid",
    amount=1,
    provider="stripe",
    object="re_planted",
    source="answer",
    cause="gen_random_uuid()",
    payment="NULL",
    which="WHERE received_minor > 0",
)
BESIDE = ("accounts_equal_their_ledgers", "accounts_count_their_facts", "orders_know_every_entry")
sql(
    "the ledger has a refund that no provider reported",
    "refunds_at_the_provider_are_in_the_ledger",
    *BESIDE,
    payments=PLANTED_REFUND,
)
sql(
    "a refund that failed at the provider still counts",
    "refunds_at_the_provider_are_in_the_ledger",
    *BESIDE,
    payments=PLANTED_REFUND  # noqa: S608
    + """;
    INSERT INTO provider_refund (shop, provider, object_id, order_id, payment_object, amount_minor, made_at, states,
        is_duplicate)
    SELECT shop, 'stripe', object_id, order_id, 'pi_x', 1, now(), array['succeeded', 'failed'], false
    FROM ledger_entry WHERE object_id = 're_planted'""",
)
sql(
    "a refund to be sent has no effect",
    "refunds_to_be_sent_have_their_effect",
    payments="""INSERT INTO refund (shop, refund_id, order_id, command_id, mode, amount_minor, provider, payment_object,
                    cause, lines, actor, asked_at, is_sent)
                SELECT shop, gen_random_uuid(), order_id, gen_random_uuid(), 'sent', 500, 'stripe', 'pi_x', 'credit',
                    '[]', 'staff:x', now(), false FROM account LIMIT 1""",
)
sql(
    "more was credited than was owed",
    "no_more_goes_back_than_came_in",
    "accounts_equal_their_ledgers",
    "orders_know_every_position",
    payments="UPDATE account SET credited_minor = due_minor + 1, balance_minor = balance_minor - 1 - due_minor "
    "+ credited_minor WHERE ctid = (SELECT ctid FROM account WHERE due_minor > 0 LIMIT 1)",
)
sql(
    "more was refunded than was received",
    "no_more_goes_back_than_came_in",
    "accounts_equal_their_ledgers",
    "orders_know_every_position",
    payments="UPDATE account SET marked_minor = received_minor + 1, balance_minor = balance_minor + 1 + received_minor "
    "- marked_minor WHERE ctid = (SELECT ctid FROM account WHERE received_minor > 0 AND refunded_minor = 0 "
    "AND received_by_hand_minor = 0 LIMIT 1)",
)
sql(
    "more of a payment was refunded than it brought",
    "no_more_goes_back_than_came_in",
    "accounts_equal_their_ledgers",
    "accounts_count_their_facts",
    "orders_know_every_entry",
    "money_by_hand_has_its_command",
    payments=ENTRY.format(
        kind="refund_marked",
        amount=1,
        provider="manual",
        object="planted",
        source="manual",
        cause="gen_random_uuid()",
        payment="'stripe:pi_planted'",
        which="",
    ),
)
sql(
    "a payment left an order and reached none",
    "transfers_out_are_transfers_in",
    "accounts_equal_their_ledgers",
    "accounts_count_their_facts",
    "orders_know_every_entry",
    "money_by_hand_has_its_command",
    payments=ENTRY.format(
        kind="transfer_out",
        amount=1,
        provider="manual",
        object="planted",
        source="manual",
        cause="gen_random_uuid()",
        payment="'stripe:pi_planted'",
        which="",
    ),
)
sql(
    "the webhook of money in the books was set aside",
    "webhook_entries_name_their_webhook",
    payments="""UPDATE webhook SET state = 'irrelevant', reason = 'planted' WHERE id = (
                    SELECT caused_by FROM ledger_entry WHERE source = 'webhook' AND kind = 'payment_received'
                    LIMIT 1)""",
)
sql(
    "a payment was set aside and is in no book",
    "received_amounts_are_the_providers",
    "accounts_equal_their_ledgers",
    "accounts_count_their_facts",
    "published_entries_are_kept",
    "orders_know_every_entry",
    payments="""UPDATE webhook SET state = 'irrelevant', reason = 'planted' WHERE id = (
                    SELECT caused_by FROM ledger_entry WHERE source = 'webhook' AND kind = 'payment_received'
                    AND method <> 'paypal' ORDER BY id LIMIT 1);
                DELETE FROM ledger_entry WHERE id = (
                    SELECT id FROM ledger_entry WHERE source = 'webhook' AND kind = 'payment_received'
                    AND method <> 'paypal' ORDER BY id LIMIT 1)""",
)
sql(
    "a refund that a webhook reported was not recorded",
    "refunds_in_webhooks_are_recorded",
    payments="""INSERT INTO webhook (id, provider, endpoint, shop, event_id, event_type, body, headers, received_at,
                    state)
                SELECT gen_random_uuid(), provider, endpoint, shop, 'evt_planted', 'refund.created',
                    convert_to('{"data": {"object": {"id": "re_planted", "amount": 5}}}', 'UTF8'), '{}', now(),
                    'applied'
                FROM webhook WHERE provider = 'stripe' LIMIT 1""",
)

# History: what the logs and the commands tell of
_DELETE_PAYMENT = """DELETE FROM ledger_entry WHERE kind = 'payment_received' AND order_id = (
    SELECT order_id FROM ledger_entry WHERE kind = 'payment_received' AND {} ORDER BY order_id LIMIT 1)"""
sql(
    "a payment by hand was deleted from every ledger",
    "published_entries_are_kept",
    "money_by_hand_has_its_command",
    "accounts_equal_their_ledgers",
    "accounts_count_their_facts",
    orders=_DELETE_PAYMENT.format("provider IS NULL"),
    payments=_DELETE_PAYMENT.format("provider = 'manual'"),
)
sql(
    "money by hand came by no command",
    "money_by_hand_has_its_command",
    "ledgers_are_chained",
    payments="UPDATE ledger_entry SET caused_by = gen_random_uuid() WHERE ctid = ("
    "SELECT ctid FROM ledger_entry WHERE source = 'manual' AND provider = 'manual' LIMIT 1)",
)
sql(
    "a command that was done is gone",
    "commands_sent_are_kept",
    orders="DELETE FROM command WHERE command_id = (SELECT command_id FROM command "
    "WHERE type = 'orders.parcel.pack.v1' LIMIT 1)",
)
sql(
    "an account lost a reported attempt",
    "accounts_count_their_facts",
    payments="DELETE FROM attempt WHERE ctid = (SELECT ctid FROM attempt LIMIT 1)",
)
sql(
    "a payment was told with another amount",
    "published_entries_are_kept",
    payments="""UPDATE msg.event_log SET body = convert_to(
                    replace(convert_from(body, 'UTF8'), '"kind":"order_total"', '"kind":"planted"'), 'UTF8')
                WHERE id = (SELECT id FROM msg.event_log WHERE type = 'payments.balance.changed.v1'
                    AND convert_from(body, 'UTF8') LIKE '%"kind":"order_total"%' LIMIT 1)""",
)
sql(
    "the submission of an order is gone",
    "placed_orders_are_kept",
    orders="DELETE FROM submission WHERE submission_id = (SELECT order_id FROM orders WHERE stage = 'placed' LIMIT 1)",
)
sql(
    "an order has no activity",
    "placed_orders_are_kept",
    orders="DELETE FROM activity WHERE kind = 'order_placed' AND order_id = (SELECT order_id FROM activity "
    "WHERE kind = 'order_placed' LIMIT 1)",
)
sql(
    "the submission of an order never arrived",
    "causes_of_orders_were_received",
    orders="DELETE FROM msg.inbox WHERE event_id = (SELECT causation_id FROM msg.event_log "
    "WHERE type = 'orders.order.placed.v1' LIMIT 1)",
)

# What is begun ends
sql(
    "a change of an order is open for nine days",
    "no_change_is_overdue",
    orders="""INSERT INTO order_edit (shop, order_id, edit_id, cause, state, actor, forced, asked_off, asked_on,
                  stopped, not_stopped, missing, total_before_minor, total_after_minor, requested_at)
              SELECT shop, order_id, gen_random_uuid(), 'deleted', 'reducing', 'staff:x', false, '{}', '{}', '{}',
                  '{}', '{}', total_minor, total_minor, now() - interval '9 days'
              FROM orders WHERE stage = 'placed' LIMIT 1""",
)
sql(
    "an effect is uncertain and nobody decides",
    "nothing_is_overdue",
    payments="""INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
                VALUES ('planted', 'planted', 'uncertain', '{}', now(), now(), now() - interval '2 hours')""",
)
sql(
    "a timer never fired",
    "nothing_is_overdue",
    orders="""INSERT INTO msg.timer (kind, key, due_at, payload)
              VALUES ('planted', 'planted', now() - interval '2 hours', '{}')""",
)

# Stock
sql(
    "stock is reserved for nobody",
    "reserved_stock_is_open_reservations",
    "movements_explain_every_level",
    fulfillment="UPDATE stock_level SET reserved = reserved + 1 WHERE ctid = (SELECT ctid FROM stock_level LIMIT 1)",
)
sql(
    "less than nothing is on hand",
    "no_stock_is_negative",
    fulfillment="""ALTER TABLE stock_level DROP CONSTRAINT available_not_negative;
                   ALTER TABLE stock_level DROP CONSTRAINT stock_level_on_hand_check;
                   INSERT INTO stock_level (shop, sku, location, on_hand) VALUES ('planted', 'SKU', 'main', -1);
                   INSERT INTO stock_movement (shop, cause, kind, sku, location, quantity, moved_at)
                   VALUES ('planted', gen_random_uuid(), 'adjust', 'SKU', 'main', -1, now())""",
)
sql(
    "a movement moved nothing",
    "movements_explain_every_level",
    fulfillment="""INSERT INTO stock_movement (shop, cause, kind, sku, location, quantity, moved_at)
                   SELECT shop, gen_random_uuid(), 'adjust', sku, location, 1, now() FROM stock_level LIMIT 1""",
)
sql(
    "more left than was sent",
    "reservations_serve_their_lines",
    fulfillment="UPDATE reservation SET taken = taken + 1, shipped = shipped + 1 "
    "WHERE ctid = (SELECT ctid FROM reservation LIMIT 1)",
)

# Parcels
sql(
    "more came back than left",
    "quantities_are_in_order",
    "orders_know_every_quantity",
    fulfillment="""ALTER TABLE order_line DROP CONSTRAINT returned_within_shipped;
                   UPDATE order_line SET returned = shipped + 1
                   WHERE ctid = (SELECT ctid FROM order_line WHERE kind = 'ship' LIMIT 1)""",
)
sql(
    "a parcel holds more than was packed",
    "parcels_add_up_to_their_lines",
    "orders_know_every_parcel",
    fulfillment="UPDATE parcel_line SET quantity = quantity + 1 WHERE ctid = (SELECT ctid FROM parcel_line LIMIT 1)",
)
sql(
    "a parcel's number is skipped, here and in the copy",
    "parcels_are_numbered_without_gaps",
    fulfillment="UPDATE parcel SET number = 9 WHERE number = 1",
    orders="UPDATE parcel SET number = 9 WHERE number = 1",
)

# Changes
sql(
    "payments heard of an edit that nobody made",
    "edits_are_known_to_payments",
    payments="""INSERT INTO order_edit (shop, order_id, edit_id, cause, due_change_minor, posted_minor)
                SELECT shop, order_id, gen_random_uuid(), 'edited', 0, 0 FROM account LIMIT 1""",
)
sql(
    "an edit's sum never reached the ledger",
    "edits_are_posted_once",
    "edits_are_known_to_payments",
    payments="""INSERT INTO order_edit (shop, order_id, edit_id, cause, due_change_minor, posted_minor)
                SELECT shop, order_id, gen_random_uuid(), 'edited', 5, 5 FROM account LIMIT 1""",
)
sql(
    "units were stopped that nobody asked off",
    "changes_stopped_and_added_the_same_units",
    fulfillment="""INSERT INTO line_change (shop, order_id, request_id, kind, cause, done, refused, actor, answered_at)
                   SELECT shop, order_id, gen_random_uuid(), 'reduction', 'cancelled', '{"1": 1}', '{}', 'nobody', now()
                   FROM fulfilment_order LIMIT 1""",
)
sql(
    "an account is closed whose order lives",
    "deleted_orders_are_closed_everywhere",
    payments="UPDATE account SET closed_at = now() WHERE ctid = (SELECT ctid FROM account LIMIT 1)",
)
sql(
    "an erasure did not reach the notifier",
    "erased_customers_are_erased_everywhere",
    "erased_customers_are_nowhere",
    orders="""INSERT INTO msg.erased (shop, order_id, erasure_id, erased_at)
              SELECT shop, order_id, gen_random_uuid(), now() FROM orders
              WHERE stage = 'placed' AND customer_email IS NOT NULL LIMIT 1""",
)

# Copies
sql(
    "orders holds an older position of fulfillment",
    "orders_know_every_fulfilment",
    orders="UPDATE orders SET fulfilment_version = fulfilment_version - 1 WHERE ctid = (SELECT ctid FROM orders "
    "WHERE fulfilment_version > 0 LIMIT 1)",
)
sql(
    "orders shows another quantity",
    "units_follow_from_lines",
    "orders_know_every_quantity",
    orders="UPDATE orders SET line_positions = jsonb_set(line_positions, '{0,lost}', '1') "
    "WHERE ctid = (SELECT ctid FROM orders WHERE stage = 'placed' "
    "AND line_positions -> 0 ->> 'kind' = 'ship' LIMIT 1)",
)
sql(
    "orders never heard of a parcel",
    "orders_know_every_parcel",
    orders="DELETE FROM parcel WHERE ctid = (SELECT ctid FROM parcel LIMIT 1)",
)
sql(
    "orders names another carrier",
    "orders_know_every_shipment",
    orders="UPDATE shipment SET carrier = 'Pigeon' WHERE ctid = (SELECT ctid FROM shipment LIMIT 1)",
)
sql(
    "orders never heard that a shipment was corrected",
    "orders_know_every_shipment",
    fulfillment="UPDATE shipment SET version = version + 1 WHERE ctid = (SELECT ctid FROM shipment LIMIT 1)",
)
sql(
    "orders takes a shipment for cancelled",
    "orders_know_every_shipment",
    orders="UPDATE shipment SET cancelled_at = now(), cancelled_by = 'staff:x', cancel_reason = 'planted' "
    "WHERE ctid = (SELECT ctid FROM shipment LIMIT 1)",
)
sql(
    "orders takes a parcel for lost",
    "orders_know_every_parcel",
    orders="INSERT INTO lost_parcel (shop, order_id, parcel_id, lost_at, lost_by) "
    "SELECT shop, order_id, parcel_id, now(), 'staff:x' FROM parcel LIMIT 1",
)
sql(
    "orders holds another proof of delivery",
    "orders_know_every_delivery",
    orders="UPDATE delivery SET proof = 'photo' WHERE ctid = (SELECT ctid FROM delivery LIMIT 1)",
)
sql(
    "orders never heard of a mail",
    "orders_know_every_mail",
    orders="DELETE FROM mail WHERE ctid = (SELECT ctid FROM mail LIMIT 1)",
)

# States
sql(
    "an order's state does not follow from its facts",
    "states_follow_from_facts",
    orders="UPDATE orders SET automatic_state = 'cancelled' WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)
sql(
    "an order is shown in a state nobody chose",
    "states_follow_from_facts",
    "facets_equal_their_orders",
    orders="UPDATE orders SET state = 'cancelled' WHERE ctid = ("
    "SELECT ctid FROM orders WHERE state = 'completed' LIMIT 1)",
)
sql(
    "an order lost its flags",
    "states_follow_from_facts",
    "facets_equal_their_orders",
    orders="UPDATE orders SET flags = array['planted'] WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)
sql(
    "an order has other units to pack than its lines",
    "units_follow_from_lines",
    orders="UPDATE orders SET units_to_pack = units_to_pack + 1 WHERE ctid = (SELECT ctid FROM orders "
    "WHERE line_positions <> '[]' AND units_to_pack > 0 LIMIT 1)",
)
sql(
    "a line costs another sum than it was sold for",
    "lines_are_as_they_were_sold",
    orders="UPDATE order_line SET total_minor = total_minor + 1 WHERE ctid = (SELECT ctid FROM order_line LIMIT 1)",
)
sql(
    "an order counts units it does not have",
    "units_are_sums_of_lines",
    orders="UPDATE orders SET ship_ordered = ship_ordered + 1 WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)

# Lists
sql(
    "an order has another's kind",
    "facets_equal_their_orders",
    orders="ALTER TABLE orders ALTER COLUMN kind_id DROP EXPRESSION; "
    "UPDATE orders o SET kind_id = (SELECT min(kind_id) FROM order_kind k WHERE k.kind_id <> o.kind_id) "
    "WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)
sql(
    "the dictionary of kinds lost one",
    "facets_equal_their_orders",
    orders="DELETE FROM order_kind WHERE kind_id = (SELECT kind_id FROM orders LIMIT 1)",
)
sql(
    "lists know of a tag that no order has",
    "tags_equal_their_orders",
    orders="INSERT INTO order_facet (shop, order_id, facet, kind_id, placed_at, total_minor) "
    "SELECT shop, order_id, 'tag:planted', kind_id, placed_at, total_minor FROM orders LIMIT 1",
)

sql(
    "an order is not in the search",
    "orders_can_be_searched",
    orders="DELETE FROM order_search WHERE ctid = (SELECT ctid FROM order_search LIMIT 1)",
)
sql(
    "the search knows an order by another code",
    "orders_can_be_searched",
    orders="UPDATE order_search SET document = ' planted ' WHERE ctid = (SELECT ctid FROM order_search LIMIT 1)",
)

# Mails
sql(
    "mails of an order go to somebody else",
    "mails_go_to_the_customer_of_the_order",
    notifier="UPDATE addressee SET email = 'planted@example.org' WHERE ctid = (SELECT ctid FROM addressee LIMIT 1)",
)
sql(
    "a merchant got no mail about an order",
    "every_order_has_its_two_mails",
    "orders_know_every_mail",
    "every_accepted_mail_was_planned",
    notifier="DELETE FROM mail WHERE ctid = (SELECT ctid FROM mail WHERE template = 'new_order' LIMIT 1)",
)
sql(
    "a customer got a mail about a shipment nobody wanted announced",
    "every_announced_shipment_has_its_mail",
    fulfillment="UPDATE shipment SET notify_customer = false WHERE notify_customer",
    orders="UPDATE shipment SET notify_customer = false WHERE notify_customer",
)
_RECEIVED = """
    INSERT INTO inbound_mail
        (inbound_id, shop, received_at, envelope_from, envelope_to, digest, size, raw, outcome)
    VALUES ('01936e3a-0000-7000-8000-00000000aaaa', 'planted', now(), '', 'r@planted.example', 'x', 1, 'x', {})"""
sql(
    "a received mail is read by nobody",
    "every_received_mail_ended",
    notifier=_RECEIVED.format("NULL"),
)
sql(
    "a received mail was posted and is no message",
    "every_posted_mail_is_one_message",
    notifier=_RECEIVED.format("'posted'"),
    orders="""INSERT INTO received_mail (shop, inbound_id, outcome, received_at)
              VALUES ('planted', '01936e3a-0000-7000-8000-00000000aaaa', 'posted', now())""",
)
sql(
    "orders know of a received mail that never came",
    "orders_know_every_received_mail",
    orders="""INSERT INTO received_mail (shop, inbound_id, outcome, received_at)
              VALUES ('planted', '01936e3a-0000-7000-8000-00000000aaaa', 'to_file', now())""",
)
sql(
    "orders miss a conversation",
    "orders_know_every_thread",
    notifier="""INSERT INTO thread (shop, order_id, version, state, unread, last_at, excerpt, mail_ids)
                SELECT shop, order_id, 1, 'waiting_staff', 0, now(), '', '{}' FROM addressee LIMIT 1""",
)
sql(
    "a mail was decided on and nobody sends it",
    "every_mail_has_an_end",
    "orders_know_every_mail",
    "every_accepted_mail_was_planned",
    notifier="DELETE FROM msg.effect WHERE key = (SELECT id::text FROM mail LIMIT 1)",
)
sql(
    "a mail counts as come back and nothing says so",
    "every_bounced_mail_has_its_bounce",
    "orders_know_every_mail",
    notifier="INSERT INTO mail_end (mail_id, state, kind, at) SELECT id, 'bounced', 'address', now() FROM mail LIMIT 1",
)
sql(
    "a mail went to a suppressed address",
    "suppressed_addresses_get_no_mail",
    notifier="WITH one AS (SELECT * FROM mail LIMIT 1), held AS ("
    "INSERT INTO suppression (id, shop, address, kind, since) "
    "SELECT id, shop, lower(recipient), 'manual', now() - interval '1 hour' FROM one) "
    "INSERT INTO bounce_address (token_hash, mail_id, recipient) SELECT 'planted', id, recipient FROM one",
)
journal(
    "a mail went twice",
    "no_mail_went_twice",
    change=lambda kept: replace(kept, mails=[*(kept.mails or ()), (kept.mails or ())[0]]),
)
journal(
    "a mail counts as sent that never arrived",
    "every_sent_mail_was_accepted",
    change=lambda kept: replace(kept, mails=list(kept.mails or ())[1:]),
)
journal(
    "a stranger's mail went out by our server",
    "every_accepted_mail_was_planned",
    change=lambda kept: replace(kept, mails=[*(kept.mails or ()), "<planted@example.org>"]),
)

# Messages
sql(
    "an event is missing in the log",
    "sequences_have_no_gaps",
    orders="DELETE FROM msg.event_log WHERE id = (SELECT min(e.id::text)::uuid FROM msg.event_log e "
    "WHERE type = 'orders.order.state_changed.v1' AND EXISTS (SELECT FROM msg.event_log later "
    "WHERE (later.shop, later.subject) = (e.shop, e.subject) AND later.sequence > e.sequence))",
)
sql(
    "an account counts an event that was never said",
    "owners_store_their_last_sequence",
    payments="UPDATE account SET sequence = sequence + 1 WHERE ctid = (SELECT ctid FROM account LIMIT 1)",
)
sql(
    "every event of an account is gone",
    "owners_store_their_last_sequence",
    payments="DELETE FROM msg.event_log WHERE subject = (SELECT min(order_id::text) FROM account WHERE sequence > 0)",
)
sql(
    "an event never left",
    "outboxes_are_empty",
    payments="""INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until)
                SELECT gen_random_uuid(), id, 'payments', type, true, gen_random_uuid(), now()
                FROM msg.event_log LIMIT 1""",
)
sql(
    "an event was never heard",
    "events_reach_every_listener",
    payments="DELETE FROM msg.inbox WHERE event_id = (SELECT event_id FROM msg.inbox LIMIT 1)",
)
sql(
    "a message waits for something that never comes",
    "nothing_is_parked",
    fulfillment="""INSERT INTO msg.parked (dedupe_key, queue, state, reason, detail, fingerprint, event_id, headers,
                       body, remembered, first_at, last_at)
                   VALUES ('planted', 'fulfillment.orders', 'waiting', 'planted', 'planted', 'planted',
                       gen_random_uuid(), '{}', '', false, now(), now())""",
)
sql(
    "a message that nobody could read waits for an operator, though its storefront was answered",
    "nothing_is_parked",
    orders="UPDATE msg.parked SET state = 'dead' WHERE id = (SELECT min(id) FROM msg.parked WHERE state = 'discarded')",
)
expecting("a message should have been parked", "nothing_is_parked", change=lambda known: known | {uuid7()})
sql(
    "a command never got its outcome",
    "every_command_has_its_outcome",
    orders="UPDATE command SET state = 'pending' WHERE ctid = (SELECT ctid FROM command LIMIT 1)",
)
sql(
    "an effect was planned and never done",
    "no_effect_is_left",
    payments="""INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
                VALUES ('planted', 'planted', 'planned', '{}', now(), now(), now())""",
)
