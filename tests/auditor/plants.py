"""Damage to plant: one for every check, each with the checks that must see it and no other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from contracts.envelope import uuid7
from deploy.auditor.ground import Ground, Journals

Plant = Callable[[Ground], Awaitable[Ground]]


@dataclass(frozen=True)
class Damage:
    """What is broken, and by which checks it is seen: exactly by these."""

    what: str
    seen_by: frozenset[str]
    plant: Plant


DAMAGES: list[Damage] = []


def sql(what: str, *seen_by: str, **statements: str) -> None:
    """Damage by statements, one per service; each must change something."""

    async def plant(ground: Ground) -> Ground:
        for service, statement in statements.items():
            for part in statement.split(";"):
                status = await ground.connections[service].execute(part)
                assert not status.endswith(" 0"), f"{part} planted nothing"
        return ground

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


def journal(what: str, *seen_by: str, change: Callable[[Journals], Journals]) -> None:
    """Damage to what the other side wrote down."""

    async def plant(ground: Ground) -> Ground:
        return replace(ground, journals=change(ground.journals))

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


def expecting(what: str, *seen_by: str, change: Callable[[frozenset[UUID]], frozenset[UUID]]) -> None:
    """Other messages are expected to be parked."""

    async def plant(ground: Ground) -> Ground:
        return replace(ground, expected_parked=change(ground.expected_parked))

    DAMAGES.append(Damage(what, frozenset(seen_by), plant))


# Intake
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
    "WHERE NOT EXISTS (SELECT FROM submission s WHERE (s.shop, s.module, s.idempotency_key) "
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
    "lines_add_up_to_their_order",
    "every_line_is_known_to_fulfillment",
    orders="UPDATE order_line SET line = line + 100 WHERE ctid = (SELECT ctid FROM order_line LIMIT 1)",
)

# Money
sql(
    "a credit is in the ledger but not in the account",
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
    "ledgers_have_no_holes",
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
    "webhooks_add_up",
    payments="UPDATE webhook SET state = 'received' WHERE ctid = (SELECT ctid FROM webhook LIMIT 1)",
)
sql(
    "a webhook could not be applied",
    "no_webhook_failed",
    payments="UPDATE webhook SET state = 'parked', reason = 'failed', detail = 'planted' "
    "WHERE ctid = (SELECT ctid FROM webhook WHERE state = 'applied' LIMIT 1)",
)
sql(
    "less was booked than was paid",
    "applied_webhooks_are_in_the_books_in_full",
    payments="""UPDATE webhook SET body = convert_to(
                    replace(convert_from(body, 'UTF8'), '"amount_received": ', '"amount_received": 9'), 'UTF8')
                WHERE ctid = (SELECT ctid FROM webhook WHERE state = 'applied' LIMIT 1)""",
)
journal(
    "a webhook was answered 200 and not kept",
    "no_accepted_webhook_is_lost",
    change=lambda kept: replace(kept, accepted_webhooks=[*(kept.accepted_webhooks or ()), "evt_planted"]),
)
sql(
    "money came from no webhook",
    "webhook_money_is_in_the_books",
    payments="UPDATE ledger_entry SET caused_by = gen_random_uuid() WHERE ctid = (SELECT ctid FROM ledger_entry "
    "WHERE source = 'webhook' LIMIT 1)",
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
    "quantities_keep_their_sequence",
    "orders_know_every_quantity",
    fulfillment="""ALTER TABLE order_line DROP CONSTRAINT returned_within_shipped;
                   UPDATE order_line SET returned = shipped + 1
                   WHERE ctid = (SELECT ctid FROM order_line WHERE kind = 'ship' LIMIT 1)""",
)
sql(
    "a parcel holds more than was packed",
    "parcels_hold_what_lines_say",
    "orders_know_every_parcel",
    fulfillment="UPDATE parcel_line SET quantity = quantity + 1 WHERE ctid = (SELECT ctid FROM parcel_line LIMIT 1)",
)
sql(
    "a parcel's number is skipped, here and in the copy",
    "parcels_are_numbered_without_holes",
    fulfillment="UPDATE parcel SET number = 9 WHERE number = 1",
    orders="UPDATE parcel SET number = 9 WHERE number = 1",
)

# Changes
sql(
    "payments heard of an edit that nobody made",
    "edits_are_in_the_books",
    payments="""INSERT INTO order_edit (shop, order_id, edit_id, cause, due_change_minor, posted_minor)
                SELECT shop, order_id, gen_random_uuid(), 'edited', 0, 0 FROM account LIMIT 1""",
)
sql(
    "an edit's sum never reached the ledger",
    "edits_are_posted_once",
    "edits_are_in_the_books",
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

# Copies
sql(
    "orders holds an older position of fulfillment",
    "orders_know_every_fulfilment",
    orders="UPDATE orders SET fulfilment_version = fulfilment_version - 1 WHERE ctid = (SELECT ctid FROM orders "
    "WHERE fulfilment_version > 0 LIMIT 1)",
)
sql(
    "orders shows another quantity",
    "orders_know_every_quantity",
    orders="UPDATE orders SET line_positions = jsonb_set(line_positions, '{0,lost}', '1') "
    "WHERE ctid = (SELECT ctid FROM orders WHERE line_positions <> '[]' LIMIT 1)",
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
    "an order counts units it does not have",
    "units_are_sums_of_lines",
    orders="UPDATE orders SET ship_ordered = ship_ordered + 1 WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)

# Lists
sql(
    "an order has another's kind",
    "kinds_say_what_their_orders_say",
    orders="ALTER TABLE orders ALTER COLUMN kind_id DROP EXPRESSION; "
    "UPDATE orders o SET kind_id = (SELECT min(kind_id) FROM order_kind k WHERE k.kind_id <> o.kind_id) "
    "WHERE ctid = (SELECT ctid FROM orders LIMIT 1)",
)
sql(
    "the dictionary of kinds lost one",
    "kinds_say_what_their_orders_say",
    orders="DELETE FROM order_kind WHERE kind_id = (SELECT kind_id FROM orders LIMIT 1)",
)
sql(
    "lists know of a tag that no order has",
    "tags_carry_the_kind_of_their_order",
    orders="INSERT INTO order_facet (shop, order_id, facet, kind_id, placed_at, total_minor) "
    "SELECT shop, order_id, 'tag:planted', kind_id, placed_at, total_minor FROM orders LIMIT 1",
)

# Mails
sql(
    "a merchant was never told of an order",
    "every_order_has_its_two_mails",
    "orders_know_every_mail",
    "every_accepted_mail_is_ours",
    notifier="DELETE FROM mail WHERE ctid = (SELECT ctid FROM mail WHERE template = 'new_order' LIMIT 1)",
)
sql(
    "a customer was told of a shipment nobody wanted announced",
    "every_announced_shipment_has_its_mail",
    fulfillment="UPDATE shipment SET notify_customer = false WHERE notify_customer",
    orders="UPDATE shipment SET notify_customer = false WHERE notify_customer",
)
sql(
    "a mail was decided on and nobody sends it",
    "every_mail_has_an_end",
    "orders_know_every_mail",
    "every_accepted_mail_is_ours",
    notifier="DELETE FROM msg.effect WHERE key = (SELECT id::text FROM mail LIMIT 1)",
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
    "every_accepted_mail_is_ours",
    change=lambda kept: replace(kept, mails=[*(kept.mails or ()), "<planted@example.org>"]),
)

# Messages
sql(
    "an event is missing in the log",
    "sequences_have_no_holes",
    orders="DELETE FROM msg.event_log WHERE id = (SELECT min(e.id::text)::uuid FROM msg.event_log e "
    "WHERE type = 'orders.order.state_changed.v1' AND EXISTS (SELECT FROM msg.event_log later "
    "WHERE (later.shop, later.subject) = (e.shop, e.subject) AND later.sequence > e.sequence))",
)
sql(
    "an account counts an event that was never said",
    "owners_count_what_they_said",
    payments="UPDATE account SET sequence = sequence + 1 WHERE ctid = (SELECT ctid FROM account LIMIT 1)",
)
sql(
    "an event never left",
    "everything_said_was_sent",
    payments="""INSERT INTO msg.dispatch (id, event_id, exchange, routing_key, mandatory, owner, lease_until)
                SELECT gen_random_uuid(), id, 'payments', type, true, gen_random_uuid(), now()
                FROM msg.event_log LIMIT 1""",
)
sql(
    "an event was never heard",
    "everything_said_was_heard",
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
expecting(
    "the message nobody can read is parked and was not expected",
    "nothing_is_parked",
    change=lambda _: frozenset(),
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
