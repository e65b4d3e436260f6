"""What is right by the rules of the services is no violation, though it looks like one at first sight."""

from dataclasses import replace
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from deploy.auditor.auditing import run_checks
from deploy.auditor.inputs import Inputs
from tests.auditor.plants import INVOICE, RIGHT


async def test_money_by_hand_settles_an_order_only_in_full(inputs: Inputs) -> None:
    order_id = await inputs.orders.fetchval(
        """UPDATE orders SET stage = 'placed', payment_method = 'cash', hand_state = NULL, hand_label = NULL,
               hand_over = NULL, ship_ordered = 2, ship_needed = 2, ship_packed = 0, ship_shipped = 0,
               ship_delivered = 0, received_by_hand_minor = 5, received_minor = 5, balance_minor = 7,
               automatic_state = 'ready', state = 'ready', label = 'in_progress_order',
               payment_status = 'partially_paid', fulfilment_status = 'unfulfilled', flags = payment_flags
           WHERE order_id = (SELECT order_id FROM orders WHERE stage = 'placed' AND refunded_minor = 0
                             AND disputed_minor = 0 AND stock <> 'missing' LIMIT 1) RETURNING order_id"""
    )
    assert await run_checks(inputs, ["states_follow_from_facts"]) == []
    await inputs.orders.execute("UPDATE orders SET label = 'payments_received' WHERE order_id = $1", order_id)
    assert await run_checks(inputs, ["states_follow_from_facts"]) == []
    await inputs.orders.execute(
        """UPDATE orders SET label = 'in_progress_order', balance_minor = 0, payment_status = 'paid'
           WHERE order_id = $1""",
        order_id,
    )
    found = await run_checks(inputs, ["states_follow_from_facts"])
    assert [(one.expected, one.found) for one in found] == [
        ("label=payments_received", "label=in_progress_order")
    ]


async def test_a_sku_is_compared_without_the_blanks_around_it(inputs: Inputs) -> None:
    await inputs.orders.execute(
        """UPDATE submission SET body = jsonb_set(body::jsonb, '{lines,0,sku}',
               to_jsonb(E'\\t ' || coalesce(body -> 'lines' -> 0 ->> 'sku', '') || ' '))
           WHERE json_array_length(body -> 'lines') > 0"""
    )
    assert await run_checks(inputs, ["lines_are_as_they_were_sold"]) == []


async def test_an_order_without_a_mail_address_is_known_without_one(inputs: Inputs) -> None:
    order_id = await inputs.orders.fetchval(
        "UPDATE orders SET customer_email = NULL WHERE ctid = (SELECT ctid FROM orders WHERE stage = 'placed' LIMIT 1) "
        "RETURNING order_id"
    )
    assert await run_checks(inputs, ["mails_go_to_the_customer_of_the_order"]) != []
    await inputs.notifier.execute("UPDATE addressee SET email = '' WHERE order_id = $1", order_id)
    assert await run_checks(inputs, ["mails_go_to_the_customer_of_the_order"]) == []


ANNOUNCED = "every_announced_shipment_has_its_mail"


async def announced(inputs: Inputs) -> UUID:
    """An order with a shipment that its customer got a mail about."""
    order_id: UUID = await inputs.fulfillment.fetchval(
        "SELECT order_id FROM shipment WHERE notify_customer ORDER BY order_id LIMIT 1"
    )
    return order_id


async def without_its_mail(inputs: Inputs) -> UUID:
    """An order whose shipment should have been announced and was not."""
    order_id = await announced(inputs)
    await inputs.notifier.execute(
        "DELETE FROM mail WHERE template = 'shipment_dispatched' AND order_id = $1", order_id
    )
    assert await run_checks(inputs, [ANNOUNCED]) != []
    return order_id


async def test_an_address_removed_later_leaves_the_mail_right(inputs: Inputs) -> None:
    await inputs.notifier.execute(
        "UPDATE addressee SET email = '' WHERE order_id = $1", await announced(inputs)
    )
    assert await run_checks(inputs, [ANNOUNCED]) == []


async def test_a_shipment_before_there_was_an_address_needs_no_mail(inputs: Inputs) -> None:
    order_id = await without_its_mail(inputs)
    await inputs.notifier.execute(
        "UPDATE addressee SET placed = placed #- '{customer,email}' WHERE order_id = $1", order_id
    )
    assert await run_checks(inputs, [ANNOUNCED]) == []


async def test_a_shipment_between_two_edits_of_the_address_needs_no_mail(inputs: Inputs) -> None:
    order_id = await without_its_mail(inputs)
    await inputs.orders.execute(
        """INSERT INTO order_edit (shop, order_id, edit_id, cause, state, actor, forced, wanted, asked_off, asked_on,
               stopped, not_stopped, missing, total_before_minor, total_after_minor, requested_at)
           SELECT shop, order_id, gen_random_uuid(), 'edited', 'done', 'staff:x', false,
               '{"customer": {"email": null}}', '{}', '{}', '{}', '{}', '{}', 0, 0, now()
           FROM orders WHERE order_id = $1""",
        order_id,
    )
    assert await run_checks(inputs, [ANNOUNCED]) == []


async def test_a_deleted_order_keeps_the_mails_of_its_shipments(inputs: Inputs) -> None:
    order_id = await announced(inputs)
    await inputs.notifier.execute(
        "UPDATE addressee SET name = '', email = '', placed = '{}', edited = NULL, deleted_at = now() "
        "WHERE order_id = $1",
        order_id,
    )
    assert await run_checks(inputs, [ANNOUNCED]) == []
    await inputs.notifier.execute(
        """INSERT INTO mail SELECT (jsonb_populate_record(mail, jsonb_build_object(
               'id', gen_random_uuid(), 'cause_id', gen_random_uuid(), 'message_id', '<second@example.org>'))).*
           FROM mail WHERE template = 'shipment_dispatched' AND order_id = $1""",
        order_id,
    )
    assert {one.check for one in await run_checks(inputs, [ANNOUNCED])} == {ANNOUNCED}


async def test_a_payment_is_not_judged_by_what_the_retention_left_of_its_webhooks(inputs: Inputs) -> None:
    name = "received_amounts_are_the_providers"
    cause = await inputs.payments.fetchval(
        """SELECT caused_by FROM ledger_entry e JOIN webhook w ON w.id = e.caused_by
           WHERE kind = 'payment_received' AND w.event_type = 'payment_intent.succeeded' ORDER BY e.id LIMIT 1"""
    )
    intent = "convert_from(body, 'UTF8')::jsonb -> 'data' -> 'object' ->> 'id'"
    await inputs.payments.execute(
        f"""UPDATE webhook SET body = convert_to(jsonb_set(convert_from(body, 'UTF8')::jsonb,
               '{{data,object,amount_received}}', '0')::text, 'UTF8')
           WHERE event_type LIKE 'payment_intent.%' AND length(body) > 2
             AND {intent} = (SELECT {intent} FROM webhook WHERE id = $1)""",  # noqa: S608
        cause,
    )
    await inputs.payments.execute(
        """INSERT INTO webhook SELECT (jsonb_populate_record(w, jsonb_build_object(
               'id', gen_random_uuid(), 'event_id', 'evt_later', 'event_type', 'payment_intent.created'))).*
           FROM webhook w WHERE id = $1""",
        cause,
    )
    assert {one.check for one in await run_checks(inputs, [name])} == {name}
    await inputs.payments.execute("UPDATE webhook SET body = '{}', headers = '{}' WHERE id = $1", cause)
    assert await run_checks(inputs, [name]) == []


LATE = ("orders.order.deleted.v1", "payments.refund.marked.v1", "payments.refund.sent.v1")


@pytest.mark.parametrize("type_", LATE)
async def test_what_was_published_before_a_service_listened_is_not_missed(inputs: Inputs, type_: str) -> None:
    sender = type_.partition(".")[0]
    await inputs.connections[sender].execute(
        """INSERT INTO msg.event_log (id, type, time, shop, subject, body)
           VALUES ($1, $2, now(), 'shop', 'planted', '{}')""",
        *(uuid7(), type_),
    )
    name = "events_reach_every_listener"
    assert "in the inbox of notifier" in {one.expected for one in await run_checks(inputs, [name])}
    await inputs.notifier.execute("UPDATE hears_since SET since = now() + interval '1 hour'")
    assert "in the inbox of notifier" not in {one.expected for one in await run_checks(inputs, [name])}


async def test_a_deleted_order_keeps_its_invoice_in_payments_only(inputs: Inputs) -> None:
    name = "orders_know_every_invoice"
    await inputs.payments.execute(INVOICE.format(total=100, digest=RIGHT))
    assert len(await run_checks(inputs, [name])) == 1
    order_id = await inputs.payments.fetchval("SELECT order_id FROM invoice WHERE number = 'F2020-00001'")
    await inputs.orders.execute(
        """INSERT INTO deleted_order (shop, order_id, code, actor, reason, deleted_at, heard)
           SELECT shop, order_id, code, 'staff:x', 'planted', now(), '{}' FROM orders WHERE order_id = $1""",
        order_id,
    )
    assert await run_checks(inputs, [name]) == []


async def test_orders_deleted_before_the_notifier_listened_need_not_be_closed_there(inputs: Inputs) -> None:
    name = "deleted_orders_are_closed_everywhere"
    order_id = await inputs.orders.fetchval(
        """INSERT INTO deleted_order (shop, order_id, code, actor, reason, deleted_at, heard)
           SELECT shop, order_id, code, 'staff:x', 'planted', now(), '{}' FROM orders WHERE stage = 'placed' LIMIT 1
           RETURNING order_id"""
    )
    await inputs.payments.execute("UPDATE account SET closed_at = now() WHERE order_id = $1", order_id)
    await inputs.fulfillment.execute(
        "UPDATE fulfilment_order SET deleted_at = now() WHERE order_id = $1", order_id
    )
    assert [one.where.split()[:2] for one in await run_checks(inputs, [name])] == [
        ["closed", "notifier.addressee"]
    ]
    await inputs.notifier.execute("UPDATE hears_since SET since = now() + interval '1 hour'")
    assert await run_checks(inputs, [name]) == []
    await inputs.notifier.execute("UPDATE addressee SET deleted_at = now() WHERE order_id = $1", order_id)
    assert await run_checks(inputs, [name]) == []


async def test_a_test_mail_is_accepted_without_being_planned_for_an_order(inputs: Inputs) -> None:
    check, key = ["every_accepted_mail_was_planned"], str(uuid7())
    mails = [*(inputs.journals.mails or ()), f"<{key}@garance.example.org>"]
    inputs = replace(inputs, journals=replace(inputs.journals, mails=mails))
    assert len(await run_checks(inputs, check)) == 1
    await inputs.notifier.execute(
        """INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
           VALUES ($1, 'test_mail', 'done', '{}', now(), now(), now())""",
        key,
    )
    assert await run_checks(inputs, check) == []


async def test_numbers_that_a_restore_lost_are_a_recorded_gap(inputs: Inputs) -> None:
    """Documents 1 to 7 were issued after the backup; a number that is in no recorded gap is a violation."""
    await inputs.payments.execute(
        "INSERT INTO invoice_gap VALUES ('s', 'invoice', 2026, 1, 7, 'issued after the backup', 'ann', now())"
    )
    await inputs.payments.execute("INSERT INTO invoice_series VALUES ('s', 'invoice', 2026, 7, '2026-11-30')")
    assert await run_checks(inputs, ["invoices_have_no_gaps"]) == []
    await inputs.payments.execute("UPDATE invoice_series SET last = 8 WHERE shop = 's'")
    (found,) = await run_checks(inputs, ["invoices_have_no_gaps"])
    assert (found.where, found.expected) == ("invoices of s of 2026", "1 to 8 without gaps")
    await inputs.payments.execute("UPDATE invoice_gap SET first = 8, last = 8")
    assert len(await run_checks(inputs, ["invoices_have_no_gaps"])) == 1
