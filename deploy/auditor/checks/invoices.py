"""Invoices and credit notes: numbered without gaps, as they were frozen, and equal to what their orders owe.

Written from the description in payments' README, without its code. Documents are issued a moment after the ledger
moved; an order that is still to be looked at, or that waits for a missing mention of its shop, is left out.
"""

from collections.abc import AsyncIterator

from deploy.auditor.finding import Finding, check, compare, shown
from deploy.auditor.inputs import Inputs, living, table


@check
async def invoices_have_no_gaps(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each series of invoices or credit notes is numbered from 1 to its last number, by rising dates.

    Numbers of a recorded gap have no document: theirs were issued after the backup that was restored.
    """
    for row in await inputs.payments.fetch(
        """SELECT coalesce(s.shop, i.shop) AS shop, coalesce(s.kind, i.kind) AS kind, coalesce(s.year, i.year) AS year,
               s.last, i.documents, i.first, i.highest, i.falling, g.missing
           FROM public.invoice_series s FULL JOIN (
               SELECT shop, kind, year, count(*) AS documents, min(position) AS first, max(position) AS highest,
                   count(*) FILTER (WHERE issued_on < before) AS falling
               FROM (SELECT shop, kind, year, position, issued_on,
                         lag(issued_on) OVER (PARTITION BY shop, kind, year ORDER BY position) AS before
                     FROM public.invoice) AS placed
               GROUP BY shop, kind, year) AS i ON (i.shop, i.kind, i.year) = (s.shop, s.kind, s.year)
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(gap.last - gap.first + 1), 0) AS missing, coalesce(max(gap.last), 0) AS highest,
                   count(*) FILTER (WHERE EXISTS (SELECT FROM public.invoice d
                       WHERE (d.shop, d.kind, d.year) = (gap.shop, gap.kind, gap.year)
                         AND d.position BETWEEN gap.first AND gap.last)) AS contradicted
               FROM public.invoice_gap gap
               WHERE (gap.shop, gap.kind, gap.year)
                     = (coalesce(s.shop, i.shop), coalesce(s.kind, i.kind), coalesce(s.year, i.year))) AS g
           WHERE s.last IS DISTINCT FROM coalesce(i.documents, 0) + g.missing
              OR s.last <> greatest(i.highest, g.highest) OR i.falling > 0 OR g.contradicted > 0"""
    ):
        found = (
            f"{row['documents']} from {row['first']} to {row['highest']}, {row['falling']} of an earlier date, "
            f"{row['missing']} in recorded gaps"
        )
        where = f"{row['kind']}s of {row['shop']} of {row['year']}"
        yield Finding(where, f"1 to {row['last']} without gaps", found)


@check
async def invoices_are_as_they_were_issued(inputs: Inputs) -> AsyncIterator[Finding]:
    """Each document's hash is that of its content, whose number and amounts are the row's; so is its PDF's."""
    for row in await inputs.payments.fetch(
        """SELECT i.shop, i.order_id, i.number, i.digest,
               encode(sha256(convert_to(i.content, 'UTF8')), 'hex') AS expected,
               c.content ->> 'number' AS written, (c.content ->> 'total_minor')::bigint AS total, i.total_minor
           FROM invoice i CROSS JOIN LATERAL (SELECT i.content::jsonb AS content) AS c
           WHERE i.digest <> encode(sha256(convert_to(i.content, 'UTF8')), 'hex')
              OR (i.number, i.kind, i.net_minor, i.tax_minor, i.total_minor, i.order_id::text)
                 IS DISTINCT FROM (c.content ->> 'number', c.content ->> 'kind', (c.content ->> 'net_minor')::bigint,
                                   (c.content ->> 'tax_minor')::bigint, (c.content ->> 'total_minor')::bigint,
                                   c.content ->> 'order_id')"""
    ):
        where = f"{row['number']} of order {shown((row['shop'], row['order_id']))}"
        frozen = f"{row['written']} over {row['total']}, hash {row['expected']}"
        yield Finding(where, frozen, f"{row['number']} over {row['total_minor']}, hash {row['digest']}")
    for row in await inputs.payments.fetch(
        """SELECT i.shop, i.order_id, i.number, p.sha256, encode(sha256(p.content), 'hex') AS expected
           FROM invoice i JOIN public.invoice_pdf p ON p.invoice_id = i.id
           WHERE p.sha256 <> encode(sha256(p.content), 'hex')"""
    ):
        where = f"PDF of {row['number']} of order {shown((row['shop'], row['order_id']))}"
        yield Finding(where, f"hash {row['expected']}", f"hash {row['sha256']}")


@check
async def invoices_equal_their_orders(inputs: Inputs) -> AsyncIterator[Finding]:
    """Invoices less credit notes of an order are what it owes by its account: due less credited."""
    for row in await inputs.payments.fetch(
        """SELECT a.shop, a.order_id, a.due_minor - a.credited_minor AS owed, i.invoiced
           FROM account a JOIN sale s USING (shop, order_id) JOIN (
               SELECT shop, order_id, sum(CASE kind WHEN 'invoice' THEN total_minor ELSE -total_minor END)::bigint
                   AS invoiced
               FROM invoice GROUP BY shop, order_id) AS i USING (shop, order_id)
           WHERE NOT s.is_due AND i.invoiced <> a.due_minor - a.credited_minor"""
    ):
        yield Finding(
            f"order {shown((row['shop'], row['order_id']))}", row["owed"], f"{row['invoiced']} invoiced"
        )


@check
async def orders_know_every_invoice(inputs: Inputs) -> AsyncIterator[Finding]:
    """Orders' copy of the headings of invoices and credit notes is payments'; none of deleted orders."""
    key = ("shop", "order_id", "invoice_id")
    names = "kind, number, issued_on, currency, net_minor, tax_minor, total_minor"
    own = await table(
        inputs.payments,
        f"SELECT shop, order_id, id AS invoice_id, {names} FROM invoice",  # noqa: S608
        key=key,
    )
    copies = await table(
        inputs.orders,
        f"SELECT shop, order_id, invoice_id, {names} FROM invoice",  # noqa: S608
        key=key,
    )
    for finding in compare("orders' copy of the document", await living(inputs, own), copies):
        yield finding
