"""What the orders service keeps of seeded sales: one statement a table."""

from collections.abc import Mapping

ROWS: Mapping[str, str] = {
    "submission": """
insert into submission (shop, module, idempotency_key, submission_id, content_hash, body, received_at)
select $shop, s.module, 'seed-' || s.n, s.order_id, sha256(convert_to('seed-' || s.n, 'UTF8')),
    (b.sale || jsonb_build_object(
        'shop', $shop::text, 'idempotency_key', 'seed-' || s.n, 'source_reference', s.reference,
        'submitted_at', to_jsonb(s.placed_at), 'payment', jsonb_strip_nulls(jsonb_build_object(
            'method', s.method, 'provider', s.provider, 'provider_reference', s.provider_reference)),
        'customer', jsonb_strip_nulls(jsonb_build_object('name', s.name, 'email', s.mail, 'phone', s.phone,
            'ip_address', '192.0.2.' || 1 + s.n % 250, 'browser', $browser::text)),
        'shipping_address', jsonb_build_object('name', s.name, 'street', s.house || ' ' || s.street,
            'postal_code', s.postal_code, 'city', s.city, 'country', s.country)))::text::json, s.placed_at
from sale s join seed_basket b on b.basket = s.basket""",
    "orders": """
insert into orders (shop, order_id, code, sequence, module, idempotency_key, source_reference, locale, placed_at,
    customer_name, customer_email, customer_phone, payment_method, currency, total_minor, state, label, automatic_state,
    payment_status, fulfilment_status, flags, hand_state, hand_label, hand_over, payment_version, due_minor,
    credited_minor, received_minor, received_by_hand_minor, refunded_minor, balance_minor, fulfilment_version, stock,
    line_positions, ship_ordered, ship_needed, ship_packed, ship_shipped, ship_delivered, other_ordered, other_needed,
    units_to_pack, units_to_ship, archived_at, carriers, received_at, changed_at)
select $shop, s.order_id, s.code, 0, s.module, 'seed-' || s.n, s.reference, 'fr', s.placed_at, s.name, s.mail, s.phone,
    s.method, 'EUR', o.due, o.state, o.label, o.automatic_state, o.payment_status, o.fulfilment_status, o.flags,
    o.hand_state, o.hand_label, o.hand_over, o.payment_version, o.due, o.credited, o.received, o.by_hand,
    o.refunded, o.balance,
    case when o.ship_ordered > 0 then o.fulfilment_version else 0 end,
    case when o.ship_ordered > 0 then o.stock else 'not_required' end,
    o.line_positions, o.ship_ordered, o.ship_needed, o.packed, o.shipped, o.delivered, o.other_ordered, o.other_needed,
    o.to_pack, o.to_ship, case when o.is_archived then s.placed_at + interval '90 days' end,
    case when o.stage >= 2 then array[s.carrier] else '{}' end, s.placed_at, greatest(s.placed_at, s.delivered_at)
from sale s join seed_outcome o using (basket, life, method) order by s.n""",
    "order_line": """
insert into order_line (shop, order_id, line, kind, description, sku, quantity, unit_price_minor, discount_minor,
    total_minor, vat_rate, resource, starts_at, ends_at)
select $shop, s.order_id, l.line, l.kind, l.description, l.sku, l.quantity, l.unit_price, l.discount, l.total,
    l.vat_rate, l.resource, s.placed_at + l.starts, s.placed_at + l.ends
from sale s join seed_line l on l.basket = s.basket order by s.n""",
    "ledger_entry": """
insert into ledger_entry (shop, order_id, entry_id, number, kind, method, amount_minor, currency, provider,
    provider_reference, reference, received_on, note, recorded_by, balance_minor, occurred_at, recorded_at)
select $shop, order_id, id, number, kind, method, amount_minor, 'EUR', nullif(nullif(provider, 'order'), 'manual'),
    case when provider not in ('order', 'manual') then object_id end, null, received_on, null, actor, balance,
    occurred_at, occurred_at
from entry""",
    "parcel": """
insert into parcel (shop, order_id, parcel_id, number, kind, weight_grams, lines, packed_at, packed_by)
select $shop, s.order_id, md5('parcel' || s.key)::uuid, 1, 'box', 800, g.lines, s.packed_at, 'api:demo'
from sale s join seed_outcome o using (basket, life, method)
join (select basket, jsonb_agg(jsonb_build_object('line', line, 'quantity', quantity) order by line) as lines
      from seed_line where kind = 'ship' group by basket) g on g.basket = s.basket
where o.stage >= 1""",
    "shipment": """
insert into shipment (shop, order_id, shipment_id, parcel_ids, lines, carrier, tracking_number, tracking_url,
    shipped_on, notify_customer, dispatched_at, dispatched_by)
select $shop, s.order_id, md5('shipment' || s.key)::uuid, array[md5('parcel' || s.key)::uuid], g.lines, s.carrier,
    s.tracking_number, null, s.shipped_at::date, false, s.shipped_at, 'api:demo'
from sale s join seed_outcome o using (basket, life, method)
join (select basket, jsonb_agg(jsonb_build_object('line', line, 'quantity', quantity) order by line) as lines
      from seed_line where kind = 'ship' group by basket) g on g.basket = s.basket
where o.stage >= 2""",
    "delivery": """
insert into delivery (shop, order_id, shipment_id, parcel_ids, delivered_at, proof, proof_reference, recorded_by)
select $shop, s.order_id, md5('shipment' || s.key)::uuid, array[md5('parcel' || s.key)::uuid], s.delivered_at,
    'carrier_scan', s.tracking_number, 'api:demo'
from sale s join seed_outcome o using (basket, life, method) where o.stage >= 3""",
    "order_edit": """
insert into order_edit (shop, order_id, edit_id, cause, state, actor, forced, asked_off, asked_on, stopped, not_stopped,
    missing, number, due_change_minor, total_before_minor, total_after_minor, requested_at, settled_at)
select $shop, s.order_id, md5('cancel' || s.key)::uuid, 'cancelled', 'done', 'demo', false, b.units, '{}', b.units,
    '{}', '{}', 1, -o.due, o.due, o.due, s.packed_at, s.packed_at
from sale s join seed_outcome o using (basket, life, method) join seed_basket b on b.basket = s.basket
where o.is_cancelled""",
    "activity": """
insert into activity (shop, order_id, kind, item, happened_at, actor, cause_id, data, revision)
select $shop, s.order_id, 'order_placed', s.order_id, s.placed_at, 'storefront.' || $shop || '.' || s.module,
    s.order_id, jsonb_build_object('total_minor', o.due, 'currency', 'EUR', 'method', s.method), 1
from sale s join seed_outcome o using (basket, life, method)
union all
select $shop, e.order_id, 'payment_received', e.id, e.occurred_at, e.actor, e.id,
    jsonb_build_object('method', e.method, 'amount_minor', e.amount_minor, 'currency', 'EUR',
                       'reference', e.object_id), 1
from entry e where e.kind = 'payment_received'""",
    "command": """
insert into command (command_id, shop, order_id, type, actor, state, requested_at, settled_at)
select caused_by, $shop, order_id,
    case kind when 'payment_received' then 'orders.payment.record.v1' else 'orders.order.refund.v1' end, actor, 'done',
    occurred_at, occurred_at
from entry where provider = 'manual' and source = 'manual'""",
    "order_tag": """
insert into order_tag (shop, order_id, tag_id, added_by, added_at)
select $shop, s.order_id, t.tag_id, 'demo', s.placed_at
from sale s join tag t on t.shop = $shop and t.tag_id = ($tags::uuid[])[1 + s.luck % cardinality($tags::uuid[])]
where s.luck < 60
union all
select $shop, s.order_id, t.tag_id, 'demo', s.placed_at
from sale s join tag t on t.shop = $shop and t.tag_id = ($tags::uuid[])[1]
where s.luck < 8 and s.luck % cardinality($tags::uuid[]) <> 0""",
    "order_facet": """
insert into order_facet (shop, order_id, facet, kind_id, placed_at, total_minor)
select $shop, s.order_id, 'tag:' || t.tag_id, o.kind_id, o.placed_at, o.total_minor
from sale s join order_tag t on t.shop = $shop and t.order_id = s.order_id
join orders o on o.order_id = s.order_id and o.shop = $shop""",
    "vat_rate": """
insert into vat_rate (shop, rate_ppm) select distinct $shop, unnest(b.vat_rates) from seed_basket b
on conflict do nothing""",
    "order_search": """
insert into order_search (shop, order_id, placed_at, mail, document, country, tax_minor, shipping_minor, vat_ppm,
    vat_minor, payment_references)
select $shop, s.order_id, s.placed_at, s.mail, d.document,
    s.country, b.tax_minor, b.shipping_minor, b.vat_rates, b.vat_minor,
    array_remove(array[case when o.received > 0 then s.provider_reference end,
                       case when o.refunded > 0 then 're_' || s.provider_reference end], null)
from sale s join seed_outcome o using (basket, life, method) join seed_basket b on b.basket = s.basket
cross join lateral (select concat_ws(' ', s.name_words, s.address_words, b.words, s.house, s.mail,
    regexp_replace(s.mail, '[^0-9a-z]', '', 'g'),
    regexp_replace(s.phone, '[^0-9]+', ' ', 'g'), case when s.phone is not null then s.phone_digits end,
    regexp_replace(written, '[^0-9a-z]+', ' ', 'g'), regexp_replace(written, '[^0-9a-z ]+', '', 'g')) as words
    from lower(concat_ws(' ', s.code, s.reference, s.provider_reference,
                         case when o.stage >= 2 then s.tracking_number end,
                         case when o.refunded > 0 then 're_' || s.provider_reference end)) as written) w
cross join lateral (select ' ' || string_agg(distinct word, ' ' order by word) || ' ' as document
    from (select word collate "C" as word from regexp_split_to_table(w.words, ' +') as word) x where word <> '') d
order by s.n""",
    "mail": """
insert into mail (shop, mail_id, order_id, template, recipient, cause_id, state, at, detail)
select $shop, m.id, m.order_id, m.template, m.recipient, m.order_id,
    case m.state when 'done' then 'sent' else m.state end, m.at, m.detail
from letter m""",
}

KINDS = """
insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
    carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
select distinct c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status,
    c.fulfilment_status, c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
    c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
from orders c where c.shop = $shop on conflict do nothing"""
"""The dictionary of kinds, once all orders are there."""
