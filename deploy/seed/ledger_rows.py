"""The ledger of seeded sales, for orders and payments alike, and the mails, for orders and notifier alike."""

ENTRY = """
create temp table entry as
with facts as (select s.*, o.due, o.credited, o.received, o.refunded, (o.received > 0)::int as r,
                      (o.credited > 0)::int as c
               from sale s join seed_outcome o using (basket, life, method))
select md5('entry1' || key)::uuid as id, key, order_id, 1 as number, 'order_total' as kind, due as amount_minor,
    'order' as provider, order_id::text as object_id, null as method, 'order' as source, order_id as caused_by,
    placed_at as occurred_at, null::date as received_on, 'orders' as actor, due as balance
from facts
union all
select md5('entry2' || key)::uuid, key, order_id, 2, 'payment_received', received, coalesce(provider, 'manual'),
    coalesce(provider_reference, md5('receipt' || key)::uuid::text), method, 'manual', md5('receipt' || key)::uuid,
    paid_at, paid_at::date, coalesce(provider, 'demo'), due - received
from facts where received > 0
union all
select md5('entry3' || key)::uuid, key, order_id, 2 + r, 'credit_granted', credited, 'order',
    md5('cancel' || key)::uuid::text, null, 'order', order_id, packed_at, null, 'demo', due - received - credited
from facts where credited > 0
union all
select md5('entry4' || key)::uuid, key, order_id, 2 + r + c, 'refund_paid', refunded, coalesce(provider, 'manual'),
    coalesce('re_' || provider_reference, md5('refund' || key)::uuid::text), method, 'manual',
    md5('refund' || key)::uuid, shipped_at, null, coalesce(provider, 'demo'), due - received - credited + refunded
from facts where refunded > 0
"""
MAILS = """
create temp table letter as
select md5(template || key)::uuid as id, order_id, code, template, recipient, placed_at as at,
    case when template = 'order_recap' and luck >= 998 then 'failed' else 'done' end as state,
    case when template = 'order_recap' and luck >= 998 then '550 5.1.1 no such user' else '250 ok' end as detail
from (select s.*, 'order_recap' as template, s.mail as recipient from sale s
      union all select s.*, 'new_order', $merchant::text from sale s) m
"""
