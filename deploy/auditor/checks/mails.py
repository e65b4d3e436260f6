"""Mails: one for every cause, none twice, none unplanned; received ones ended, and orders know the conversations."""

from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, Row, Rows, living, named, table


@check
async def every_order_has_its_two_mails(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each placed order has exactly one mail to the merchant and one recap to the customer.

    In a shop that ever switched off the merchant's mail, it may be missing; never is there a second one. A recap
    that waits for its invoice is not there yet.
    """
    placed = await table(
        inputs.orders,
        """SELECT o.shop, o.order_id, 1 AS to_merchant,
                  CASE WHEN a.order_id IS NULL THEN o.customer_email ELSE s.body->'customer'->>'email' END AS recap_to
           FROM orders o LEFT JOIN amendment a ON (a.shop, a.order_id) = (o.shop, o.order_id)
           LEFT JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
           WHERE o.stage = 'placed'""",
    )
    mails = await table(
        inputs.notifier,
        """SELECT shop, order_id, string_agg(recipient, ' ') FILTER (WHERE template = 'order_recap') AS recap_to,
               count(*) FILTER (WHERE template = 'new_order')::int AS to_merchant
           FROM mail WHERE template IN ('order_recap', 'new_order') GROUP BY 1, 2""",
    )
    switched_off = {
        row["shop"]
        for row in await inputs.notifier.fetch(
            "SELECT DISTINCT shop FROM mail_rule WHERE switches->>'new_order' = 'false'"
        )
    }
    for row in await inputs.notifier.fetch("SELECT shop, order_id FROM recap_hold WHERE ended_at IS NULL"):
        if (key := (row["shop"], row["order_id"])) in placed:
            placed[key]["recap_to"] = None
            mails.setdefault(key, {"to_merchant": 0, "recap_to": None})
    for key in [key for key in placed if key[0] in switched_off]:
        mails.setdefault(key, {"to_merchant": 0, "recap_to": None})
        placed[key]["to_merchant"] = min(1, mails[key]["to_merchant"])
    for finding in compare("mails about the order", await named(inputs, placed), await _kept(inputs, mails)):
        yield finding


@check
async def mails_go_to_the_customer_of_the_order(inputs: Inputs) -> AsyncIterator[Finding]:
    """Notifier has the current mail address of each order's customer."""
    source = await table(
        inputs.orders,
        """SELECT shop, order_id, coalesce(customer_email, '') AS email, customer_name AS name FROM orders
           WHERE stage = 'placed'""",
    )
    copy = await table(
        inputs.notifier,
        "SELECT shop, order_id, email, name FROM addressee",
    )
    for finding in compare("addressee of order", await named(inputs, source), await _kept(inputs, copy)):
        yield finding


async def _kept(inputs: Inputs, rows: Rows) -> Rows:
    """Return the rows of orders that were neither deleted nor erased: of the others no address is left to compare."""
    return await named(inputs, await living(inputs, rows))


@check
async def every_announced_shipment_has_its_mail(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each announced shipment has exactly one mail, and no other shipment has any.

    The mail goes to the address known when the dispatch is received. So it may be missing where there was no
    address at some time, or where the order was deleted; an existing mail must be the only one in any case.
    """
    key = ("shop", "order_id", "shipment_id")
    announced = await table(
        inputs.fulfillment,
        "SELECT shop, order_id, shipment_id::text, 1 AS mails FROM shipment WHERE notify_customer",
        key=key,
    )
    copy = await table(
        inputs.notifier,
        """SELECT shop, order_id, context->>'shipment_id' AS shipment_id, count(*)::int AS mails FROM mail
           WHERE template = 'shipment_dispatched' GROUP BY 1, 2, 3""",
        key=key,
    )
    reachable = await _always_reachable(inputs)
    source = {name: row for name, row in announced.items() if name in copy or name[:2] in reachable}
    for finding in compare("mails about the shipment", source, copy):
        yield finding


async def _always_reachable(inputs: Inputs) -> set[tuple[str, UUID]]:
    """Return orders whose customer had an address at placement, has one now and kept one through every edit."""
    rows = await inputs.notifier.fetch(
        """SELECT shop, order_id FROM addressee
           WHERE email <> '' AND coalesce(placed->'customer'->>'email', '') <> '' AND deleted_at IS NULL"""
    )
    without = await inputs.orders.fetch(
        """SELECT shop, order_id FROM order_edit
           WHERE cause = 'edited' AND wanted IS NOT NULL AND coalesce(wanted->'customer'->>'email', '') = ''"""
    )
    deleted = await inputs.orders.fetch("SELECT shop, order_id FROM deleted_order")
    return {_order(row) for row in rows} - {_order(row) for row in (*without, *deleted)}


def _order(row: Row) -> tuple[str, UUID]:
    return row["shop"], row["order_id"]


@check
async def every_mail_has_an_end(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each mail was planned by one effect, and none is still in flight."""
    for row in await inputs.notifier.fetch(
        "SELECT shop, order_id, id, state FROM mail_with_state WHERE state IS NULL OR state IN ('planned', 'in_flight')"
    ):
        where = f"mail {row['id']} of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "sent, failed or uncertain", row["state"] or "no effect")


@check
async def every_bounced_mail_has_its_bounce(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each mail shown as come back has the report or the refusal that says so."""
    for row in await inputs.notifier.fetch(
        """SELECT m.shop, m.order_id, m.id, m.end_kind FROM mail_with_state m WHERE m.state = 'bounced'
           AND NOT EXISTS (SELECT FROM bounce b WHERE b.mail_id = m.id AND b.kind = m.end_kind)"""
    ):
        where = f"mail {row['id']} of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"a bounce of kind {row['end_kind']}", "none")


@check
async def suppressed_addresses_get_no_mail(inputs: Inputs) -> AsyncIterator[Finding]:
    """No mail was handed over to an address while it was suppressed, a minute after that began.

    A reader's complaint holds only optional mails. Without bounce addresses nothing is known of single hand-overs.
    """
    for row in await inputs.notifier.fetch(
        """SELECT m.shop, m.order_id, m.id, b.created_at FROM mail m
           JOIN bounce_address b ON b.mail_id = m.id
           JOIN suppression s ON s.shop = m.shop AND s.address = lower(b.recipient) AND s.kind <> 'complaint'
           WHERE b.created_at > s.since + interval '1 minute'
             AND b.created_at < least(s.lifted_at, s.until, 'infinity'::timestamptz)"""
    ):
        where = f"mail {row['id']} of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "held, since its address was suppressed", f"handed over at {row['created_at']}")


@check
async def no_mail_went_twice(inputs: Inputs) -> AsyncIterator[Finding]:
    """The mail server accepted no Message-ID twice, except for mails that a person sent again."""
    resent = {
        row["message_id"]: row["times"]
        for row in await inputs.notifier.fetch(
            "SELECT message_id, times FROM resend JOIN mail ON mail.id = resend.mail_id"
        )
    }
    for message_id, times in sorted(Counter(inputs.journals.mails or ()).items()):
        most = 1 + resent.get(message_id, 0)
        if times > most:
            expected = (
                "accepted once" if most == 1 else f"accepted at most {most} times, sent again {most - 1}"
            )
            yield Finding(f"mail {message_id}", expected, f"accepted {times} times")


@check
async def every_sent_mail_was_accepted(inputs: Inputs) -> AsyncIterator[Finding]:
    """The mail server accepted every mail recorded as sent, except those that a person confirmed as arrived."""
    if inputs.journals.mails is None:
        return
    accepted = set(inputs.journals.mails)
    for row in await inputs.notifier.fetch(
        "SELECT id, message_id, detail FROM mail_with_state WHERE effect_state = 'done'"
    ):
        is_confirmed_by_staff = (row["detail"] or "").startswith("taken as arrived by ")
        if row["message_id"] not in accepted and not is_confirmed_by_staff:
            yield Finding(
                f"mail {row['id']}", f"accepted as {row['message_id']}", "not in the server's journal"
            )


@check
async def every_accepted_mail_was_planned(inputs: Inputs) -> AsyncIterator[Finding]:
    """The mail server accepted only planned mails and test mails, and each is recorded as sent or uncertain."""
    mails = await inputs.notifier.fetch("SELECT message_id, effect_state AS state FROM mail_with_state")
    tests = await inputs.notifier.fetch("SELECT key, state FROM msg.effect WHERE kind = 'test_mail'")
    states = {row["message_id"]: row["state"] for row in mails}
    states_of_tests = {row["key"]: row["state"] for row in tests}
    for message_id in sorted(set(inputs.journals.mails or ())):
        of_test = states_of_tests.get(message_id[1:].partition("@")[0], "unknown")
        state = states.get(message_id, of_test)
        if state not in ("done", "uncertain"):
            yield Finding(f"mail {message_id}", "known as sent or uncertain", state or "no effect")


@check
async def every_received_mail_ended(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each received mail ended as posted, automatic, bounce, own, to be filed or parked, or is about to be read."""
    for row in await inputs.notifier.fetch(
        """SELECT i.shop, i.inbound_id, i.outcome, e.state FROM inbound_mail i
           LEFT JOIN msg.effect e ON e.key = i.inbound_id::text AND e.kind = 'inbound'
           WHERE i.outcome IS NULL AND e.state IS DISTINCT FROM 'planned'"""
    ):
        where = f"received mail {shown((row['shop'], row['inbound_id']))}"
        yield Finding(where, "an end", row["state"] or "no end, and nothing that reads it")


@check
async def every_posted_mail_is_one_message(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each mail that was posted is one message of its thread, and no other mail is one unless a person filed it."""
    for row in await inputs.notifier.fetch(
        """SELECT i.shop, i.inbound_id, i.outcome, m.message_id FROM inbound_mail i
           LEFT JOIN message m ON m.inbound_id = i.inbound_id AND m.order_id = i.order_id
           WHERE (i.outcome = 'posted') AND m.message_id IS NULL
              OR i.outcome IN ('own', 'bounce') AND m.message_id IS NOT NULL
              OR i.outcome IN ('to_file', 'parked') AND m.message_id IS NOT NULL AND i.filed_at IS NULL"""
    ):
        where = f"received mail {shown((row['shop'], row['inbound_id']))}"
        yield Finding(
            where, f"{row['outcome']}: as it ended", "a message" if row["message_id"] else "no message"
        )


@check
async def orders_know_every_received_mail(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of where received mails ended is notifier's."""
    key = ("shop", "inbound_id")
    source = await table(
        inputs.notifier,
        "SELECT shop, inbound_id, outcome, filed_at IS NOT NULL AS filed FROM inbound_mail WHERE outcome IS NOT NULL",
        key=key,
    )
    copy = await table(
        inputs.orders,
        "SELECT shop, inbound_id, outcome, filed_at IS NOT NULL AS filed FROM received_mail",
        key=key,
    )
    for finding in compare("received mail", source, copy):
        yield finding


@check
async def orders_know_every_thread(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of each conversation's state is notifier's, in the same version."""
    query = "SELECT shop, order_id, version, state, unread, assignee FROM thread"
    source = await named(inputs, await living(inputs, await table(inputs.notifier, query)))
    copy = await named(inputs, await table(inputs.orders, query))
    for finding in compare("conversation of order", source, copy):
        yield finding
