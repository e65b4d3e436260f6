"""Mails: one for every cause, none twice, none that nobody decided on."""

from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.ground import Ground, Row, living, table


@check
async def every_order_has_its_two_mails(ground: Ground) -> AsyncIterator[Finding]:
    """Each placed order has exactly one mail to the merchant and one recap to the customer."""
    placed = await table(
        ground.orders,
        """SELECT o.shop, o.order_id, 1 AS to_merchant,
                  CASE WHEN a.order_id IS NULL THEN o.customer_email ELSE s.body->'customer'->>'email' END AS recap_to
           FROM orders o LEFT JOIN amendment a ON (a.shop, a.order_id) = (o.shop, o.order_id)
           LEFT JOIN submission s ON (s.shop, s.module, s.idempotency_key) = (o.shop, o.module, o.idempotency_key)
           WHERE o.stage = 'placed'""",
    )
    mails = await table(
        ground.notifier,
        """SELECT shop, order_id, string_agg(recipient, ' ') FILTER (WHERE template = 'order_recap') AS recap_to,
               count(*) FILTER (WHERE template = 'new_order')::int AS to_merchant
           FROM mail WHERE template IN ('order_recap', 'new_order') GROUP BY 1, 2""",
    )
    for finding in compare("mails about the order", placed, await living(ground, mails)):
        yield finding


@check
async def mails_go_to_the_customer_of_the_order(ground: Ground) -> AsyncIterator[Finding]:
    """Notifier knows each order under its customer's address, the one it was edited to if it was."""
    truth = await table(
        ground.orders,
        """SELECT shop, order_id, coalesce(customer_email, '') AS email, customer_name AS name FROM orders
           WHERE stage = 'placed'""",
    )
    copy = await table(
        ground.notifier,
        "SELECT shop, order_id, email, name FROM addressee",
    )
    for finding in compare("addressee of order", truth, await living(ground, copy)):
        yield finding


@check
async def every_announced_shipment_has_its_mail(ground: Ground) -> AsyncIterator[Finding]:
    """Each shipment the customer was to be told of has exactly one mail, and no other has any.

    A mail goes to the address that is known when the shipment is heard of. So it may be missing where there was no
    address at some time, or where the order was deleted; a mail that is there must be the only one in any case.
    """
    key = ("shop", "order_id", "shipment_id")
    announced = await table(
        ground.fulfillment,
        "SELECT shop, order_id, shipment_id::text, 1 AS mails FROM shipment WHERE notify_customer",
        key=key,
    )
    copy = await table(
        ground.notifier,
        """SELECT shop, order_id, context->>'shipment_id' AS shipment_id, count(*)::int AS mails FROM mail
           WHERE template = 'shipment_dispatched' GROUP BY 1, 2, 3""",
        key=key,
    )
    reachable = await _always_reachable(ground)
    truth = {name: row for name, row in announced.items() if name in copy or name[:2] in reachable}
    for finding in compare("mails about the shipment", truth, copy):
        yield finding


async def _always_reachable(ground: Ground) -> set[tuple[str, UUID]]:
    """Orders whose customer had an address when they were placed, has one now and was not without by any edit."""
    rows = await ground.notifier.fetch(
        """SELECT shop, order_id FROM addressee
           WHERE email <> '' AND coalesce(placed->'customer'->>'email', '') <> '' AND deleted_at IS NULL"""
    )
    without = await ground.orders.fetch(
        """SELECT shop, order_id FROM order_edit
           WHERE cause = 'edited' AND wanted IS NOT NULL AND coalesce(wanted->'customer'->>'email', '') = ''"""
    )
    deleted = await ground.orders.fetch("SELECT shop, order_id FROM deleted_order")
    return {_order(row) for row in rows} - {_order(row) for row in (*without, *deleted)}


def _order(row: Row) -> tuple[str, UUID]:
    return row["shop"], row["order_id"]


@check
async def every_mail_has_an_end(ground: Ground) -> AsyncIterator[Finding]:
    """Each mail was decided to be sent by one effect, and none is still on its way."""
    for row in await ground.notifier.fetch(
        "SELECT shop, order_id, id, state FROM mail_with_state WHERE state IS NULL OR state IN ('planned', 'in_flight')"
    ):
        where = f"mail {row['id']} of {shown((row['shop'], row['order_id']))}"
        yield Finding(where, "sent, failed or uncertain", row["state"] or "no effect")


@check
async def no_mail_went_twice(ground: Ground) -> AsyncIterator[Finding]:
    """The mail server accepted no Message-ID twice, but for mails that a person had sent again."""
    resent = {
        row["message_id"]: row["times"]
        for row in await ground.notifier.fetch(
            "SELECT message_id, times FROM resend JOIN mail ON mail.id = resend.mail_id"
        )
    }
    for message_id, times in sorted(Counter(ground.journals.mails or ()).items()):
        most = 1 + resent.get(message_id, 0)
        if times > most:
            expected = (
                "accepted once" if most == 1 else f"accepted at most {most} times, sent again {most - 1}"
            )
            yield Finding(f"mail {message_id}", expected, f"accepted {times} times")


@check
async def every_sent_mail_was_accepted(ground: Ground) -> AsyncIterator[Finding]:
    """What counts as sent, the mail server accepted, but for mails that a person took as arrived."""
    if ground.journals.mails is None:
        return
    accepted = set(ground.journals.mails)
    for row in await ground.notifier.fetch(
        "SELECT id, message_id, detail FROM mail_with_state WHERE state = 'done'"
    ):
        is_told_by_a_person = (row["detail"] or "").startswith("taken as arrived by ")
        if row["message_id"] not in accepted and not is_told_by_a_person:
            yield Finding(
                f"mail {row['id']}", f"accepted as {row['message_id']}", "not in the server's journal"
            )


@check
async def every_accepted_mail_is_ours(ground: Ground) -> AsyncIterator[Finding]:
    """The mail server accepted only mails that were decided on, and each that went is known to have gone
    or uncertain.
    """
    states = {
        row["message_id"]: row["state"]
        for row in await ground.notifier.fetch("SELECT message_id, state FROM mail_with_state")
    }
    for message_id in sorted(set(ground.journals.mails or ())):
        state = states.get(message_id, "unknown")
        if state not in ("done", "uncertain"):
            yield Finding(f"mail {message_id}", "known as sent or uncertain", state or "no effect")
