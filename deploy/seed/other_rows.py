"""What payments, fulfillment and notifier keep of seeded sales: one statement a table, what is referred to first."""

from collections.abc import Mapping

PAYMENTS: Mapping[str, str] = {
    "account": """
insert into account (shop, order_id, code, currency, method, opened_at, version, sequence, due_minor, credited_minor,
    received_minor, received_by_hand_minor, refunded_minor, marked_minor, disputed_minor, authorised_minor,
    balance_minor, attempt, flags)
select $shop, s.order_id, s.code, 'EUR', s.method, s.placed_at, o.payment_version, 0, o.due, o.credited, o.received,
    o.by_hand, o.refunded, 0, 0, 0, o.balance, 'none', '{}'
from sale s join seed_outcome o using (basket, life, method) order by s.n""",
    "ledger_entry": """
insert into ledger_entry (id, shop, order_id, number, kind, amount_minor, currency, provider, object_id, step, method,
    source, caused_by, occurred_at, received_on, actor, recorded_at)
select id, $shop, order_id, number, kind, amount_minor, 'EUR', provider, object_id, 0, method, source, caused_by,
    occurred_at, received_on, actor,
    greatest(occurred_at, (select (max(day) + 1)::timestamp at time zone 'UTC' from ledger_closing where shop = $shop))
from entry""",
    "order_edit": """
insert into order_edit (shop, order_id, edit_id, cause, due_change_minor, posted_minor)
select $shop, s.order_id, md5('cancel' || s.key)::uuid, 'cancelled', -o.due, -o.credited
from sale s join seed_outcome o using (basket, life, method) where o.is_cancelled""",
    "provider_object": """
insert into provider_object (shop, provider, object_id, order_id)
select $shop, provider, object_id, order_id from entry where provider not in ('order', 'manual')""",
}

FULFILLMENT: Mapping[str, str] = {
    "fulfilment_order": """
insert into fulfilment_order (shop, order_id, code, placed_at, stock, version, sequence, next_parcel_number,
    created_at)
select $shop, s.order_id, s.code, s.placed_at, o.stock,
    case when o.ship_ordered > 0 then o.fulfilment_version else 1 end, 0,
    case when o.stage >= 1 then 2 else 1 end, s.placed_at
from sale s join seed_outcome o using (basket, life, method) order by s.n""",
    "order_line": """
insert into order_line (shop, order_id, line, kind, sku, ordered, cancelled, packed, shipped, delivered)
select $shop, s.order_id, l.line, l.kind, l.sku, l.quantity, case when o.is_cancelled then l.quantity else 0 end,
    case when l.kind = 'ship' and o.stage >= 1 then l.quantity else 0 end,
    case when l.kind = 'ship' and o.stage >= 2 then l.quantity else 0 end,
    case when l.kind = 'ship' and o.stage >= 3 then l.quantity else 0 end
from sale s join seed_outcome o using (basket, life, method) join seed_line l on l.basket = s.basket order by s.n""",
    "line_change": """
insert into line_change (shop, order_id, request_id, kind, cause, done, refused, actor, answered_at)
select $shop, s.order_id, md5('cancel' || s.key)::uuid, 'reduction', 'cancelled', b.units, '{}', 'demo', s.packed_at
from sale s join seed_outcome o using (basket, life, method) join seed_basket b on b.basket = s.basket
where o.is_cancelled""",
    "parcel": """
insert into parcel (shop, order_id, parcel_id, number, kind, weight_grams, packed_at, packed_by)
select $shop, s.order_id, md5('parcel' || s.key)::uuid, 1, 'box', 800, s.packed_at, 'api:demo'
from sale s join seed_outcome o using (basket, life, method) where o.stage >= 1""",
    "parcel_line": """
insert into parcel_line (shop, order_id, parcel_id, line, quantity)
select $shop, s.order_id, md5('parcel' || s.key)::uuid, l.line, l.quantity
from sale s join seed_outcome o using (basket, life, method) join seed_line l on l.basket = s.basket and l.kind = 'ship'
where o.stage >= 1""",
    "shipment": """
insert into shipment (shop, order_id, shipment_id, carrier, tracking_number, shipped_on, notify_customer, dispatched_at,
    dispatched_by, delivered_at, proof, proof_reference, recorded_at, recorded_by)
select $shop, s.order_id, md5('shipment' || s.key)::uuid, s.carrier, s.tracking_number, s.shipped_at::date, false,
    s.shipped_at, 'api:demo', case when o.stage >= 3 then s.delivered_at end,
    case when o.stage >= 3 then 'carrier_scan' end, case when o.stage >= 3 then s.tracking_number end,
    case when o.stage >= 3 then s.delivered_at end, case when o.stage >= 3 then 'api:demo' end
from sale s join seed_outcome o using (basket, life, method) where o.stage >= 2""",
    "shipment_parcel": """
insert into shipment_parcel (shop, order_id, shipment_id, parcel_id)
select $shop, s.order_id, md5('shipment' || s.key)::uuid, md5('parcel' || s.key)::uuid
from sale s join seed_outcome o using (basket, life, method) where o.stage >= 2""",
    "stock_level": """
insert into stock_level as l (shop, sku, location, on_hand, reserved)
select $shop, sku, 'main', sum(quantity - left_house), sum(held - left_house) from moved group by sku
on conflict (shop, sku, location) do update
set on_hand = l.on_hand + excluded.on_hand, reserved = l.reserved + excluded.reserved""",
    "reservation": """
insert into reservation (shop, order_id, line, sku, location, taken, released, shipped)
select $shop, order_id, line, sku, 'main', quantity, quantity - held, left_house from moved where quantity > 0""",
    "stock_movement": """
insert into stock_movement (shop, order_id, line, cause, kind, sku, location, quantity, moved_at)
select $shop, null, null, md5('delivered' || $shop || $first || sku)::uuid, 'adjust', sku, 'main', sum(quantity),
    min(placed_at) - interval '1 hour'
from moved where quantity > 0 group by sku
union all
select $shop, order_id, line, order_id, 'reserve', sku, 'main', quantity, placed_at from moved where quantity > 0
union all
select $shop, order_id, line, md5('release' || key)::uuid, 'release', sku, 'main', quantity - held, packed_at
from moved where quantity > held
union all
select $shop, order_id, line, md5('shipment' || key)::uuid, 'ship', sku, 'main', left_house, shipped_at
from moved where left_house > 0""",
}

MOVED = """
create temp table moved as
select s.key, s.order_id, l.line, l.sku, s.placed_at, s.packed_at, s.shipped_at,
    case when o.stock = 'reserved' then l.quantity else 0 end as quantity,
    case when o.stock = 'reserved' and not o.is_cancelled then l.quantity else 0 end as held,
    case when o.stage >= 2 then l.quantity else 0 end as left_house
from sale s join seed_outcome o using (basket, life, method) join seed_line l on l.basket = s.basket and l.kind = 'ship'
"""
"""What each line of goods took from the shelf, still holds and sent away."""

NOTIFIER: Mapping[str, str] = {
    "addressee": """
insert into addressee (shop, order_id, code, name, email, locale, thread_mail_id, placed)
select $shop, s.order_id, s.code, s.name, s.mail, 'fr', md5('order_recap' || s.key)::uuid,
    (b.sale - 'notes') || jsonb_build_object('shop', $shop::text, 'order_id', s.order_id, 'code', s.code,
        'source_reference', s.reference, 'placed_at', to_jsonb(s.placed_at),
        'payment', jsonb_strip_nulls(jsonb_build_object('method', s.method, 'provider', s.provider)),
        'customer', jsonb_strip_nulls(jsonb_build_object('name', s.name, 'email', s.mail, 'phone', s.phone)),
        'shipping_address', jsonb_build_object('name', s.name, 'street', s.house || ' ' || s.street,
            'postal_code', s.postal_code, 'city', s.city, 'country', s.country),
        'lines', g.lines)
from sale s join seed_basket b on b.basket = s.basket
join (select basket, jsonb_agg(line.value || jsonb_build_object('line', line.ordinality) order by ordinality) as lines
      from seed_basket, jsonb_array_elements(sale -> 'lines') with ordinality as line group by basket) g
    on g.basket = s.basket""",
    "mail": """
insert into mail (id, shop, order_id, code, cause_id, template, recipient, locale, message_id, context, created_at)
select id, $shop, order_id, code, order_id, template, recipient, 'fr', '<' || id || '@mail.example.org>', '{}', at
from letter""",
    "msg.effect": """
insert into msg.effect (key, kind, state, payload, attempts, next_at, detail, created_at, updated_at)
select id::text, 'mail', state, '{}', 1, at, detail, at, at from letter""",
}
