-- migrate:up

-- The number of a kind hashes one array of texts: first how many carriers there are and the twelve single values, then
-- carriers and flags. Two different combinations never give the same array, so no part can be lost. (Hashing the flags as
-- the seed of the carriers' hash lost them for every order without carriers: PostgreSQL hashes an empty array to 1,
-- whatever the seed.)
create or replace function kind_of(shop text, module text, payment_method text, currency text, state text, label text,
                                   payment_status text, fulfilment_status text, carriers text[], flags text[],
                                   archived boolean, to_pack boolean, to_ship boolean, unfinished boolean,
                                   owed_back boolean) returns bigint
language sql immutable parallel safe as $$
    select hash_array_extended(
        array[cardinality(carriers)::text, shop, module, coalesce(payment_method, ''), currency, state, label, payment_status,
              fulfilment_status, archived::text, to_pack::text, to_ship::text, unfinished::text, owed_back::text]
        || carriers || flags, 0)
$$;

-- Stored columns keep what the former function gave: they are made again, with the indexes that have them.
truncate order_kind;
alter table orders drop column kind_id;
alter table orders add column kind_id bigint not null generated always as (
    kind_of(shop, module, payment_method, currency, state, label, payment_status, fulfilment_status, carriers, flags,
            archived_at is not null, units_to_pack > 0, units_to_ship > 0,
            ship_delivered < ship_needed or other_finished < other_needed, balance_minor < 0)) stored;
alter table orders alter column kind_id set statistics 2000;
create index orders_by_kind on orders (shop, kind_id, placed_at desc, order_id desc);
create index orders_by_placing on orders (shop, placed_at desc, order_id desc) include (kind_id, total_minor);
create index orders_by_total on orders (shop, kind_id, total_minor desc, order_id desc) include (placed_at);

insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                        carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
select distinct c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status,
       c.fulfilment_status, c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
       c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
from orders c;

update order_facet f set kind_id = o.kind_id from orders o
where o.order_id = f.order_id and o.shop = f.shop and f.kind_id <> o.kind_id;

-- Lists choose their way by these statistics.
analyze orders (kind_id);

-- migrate:down

create or replace function kind_of(shop text, module text, payment_method text, currency text, state text, label text,
                                   payment_status text, fulfilment_status text, carriers text[], flags text[],
                                   archived boolean, to_pack boolean, to_ship boolean, unfinished boolean,
                                   owed_back boolean) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(
        shop || E'\x1f' || module || E'\x1f' || coalesce(payment_method, '') || E'\x1f' || currency || E'\x1f'
        || state || E'\x1f' || label || E'\x1f' || payment_status || E'\x1f' || fulfilment_status || E'\x1f' || archived::text
        || to_pack::text || to_ship::text || unfinished::text || owed_back::text,
        hash_array_extended(carriers, hash_array_extended(flags, 0)))
$$;
truncate order_kind;
alter table orders drop column kind_id;
alter table orders add column kind_id bigint not null generated always as (
    kind_of(shop, module, payment_method, currency, state, label, payment_status, fulfilment_status, carriers, flags,
            archived_at is not null, units_to_pack > 0, units_to_ship > 0,
            ship_delivered < ship_needed or other_finished < other_needed, balance_minor < 0)) stored;
alter table orders alter column kind_id set statistics 2000;
create index orders_by_kind on orders (shop, kind_id, placed_at desc, order_id desc);
create index orders_by_placing on orders (shop, placed_at desc, order_id desc) include (kind_id, total_minor);
create index orders_by_total on orders (shop, kind_id, total_minor desc, order_id desc) include (placed_at);
insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                        carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
select distinct on (c.shop, c.kind_id)
       c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status,
       c.fulfilment_status, c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
       c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
from orders c order by c.shop, c.kind_id;
update order_facet f set kind_id = o.kind_id from orders o
where o.order_id = f.order_id and o.shop = f.shop and f.kind_id <> o.kind_id;
