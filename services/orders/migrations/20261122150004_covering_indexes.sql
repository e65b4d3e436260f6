-- migrate:up

-- All that decides whether an order is listed is in the indexes that lists walk: looking at an order that is not shown
-- costs a tenth of reading its row.
drop index orders_by_placing;
create index orders_by_placing on orders (shop, placed_at desc, order_id desc) include (kind_id, total_minor);

alter table order_facet add column total_minor bigint;
update order_facet f set total_minor = o.total_minor from orders o where o.order_id = f.order_id and o.shop = f.shop;
alter table order_facet alter column total_minor set not null;
drop index order_facet_by_kind;
create index order_facet_by_kind on order_facet (shop, facet, kind_id, placed_at desc, order_id desc)
    include (total_minor);

create or replace function know_kinds() returns trigger language plpgsql as $$
begin
    insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                            carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
    select distinct on (c.shop, c.kind_id)
           c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status, c.fulfilment_status,
           c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
           c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
    from changed c
    where not exists (select from order_kind k where k.shop = c.shop and k.kind_id = c.kind_id)
    order by c.shop, c.kind_id
    on conflict do nothing;
    if tg_op = 'INSERT' then
        insert into order_search_due (shop, order_id) select c.shop, c.order_id from changed c;
    else
        update order_facet f set kind_id = c.kind_id, placed_at = c.placed_at, total_minor = c.total_minor
        from changed c
        where f.order_id = c.order_id and f.shop = c.shop
          and (f.kind_id, f.placed_at, f.total_minor) is distinct from (c.kind_id, c.placed_at, c.total_minor);
    end if;
    return null;
end $$;

create or replace function facet_tags_added() returns trigger language plpgsql as $$
begin
    insert into order_facet (shop, order_id, facet, kind_id, placed_at, total_minor)
    select c.shop, c.order_id, 'tag:' || c.tag_id, o.kind_id, o.placed_at, o.total_minor
    from changed c join orders o on o.order_id = c.order_id and o.shop = c.shop
    on conflict do nothing;
    insert into order_search_due (shop, order_id) select distinct c.shop, c.order_id from changed c;
    return null;
end $$;

-- migrate:down

create or replace function facet_tags_added() returns trigger language plpgsql as $$
begin
    insert into order_facet (shop, order_id, facet, kind_id, placed_at)
    select c.shop, c.order_id, 'tag:' || c.tag_id, o.kind_id, o.placed_at
    from changed c join orders o on o.order_id = c.order_id and o.shop = c.shop
    on conflict do nothing;
    insert into order_search_due (shop, order_id) select distinct c.shop, c.order_id from changed c;
    return null;
end $$;

create or replace function know_kinds() returns trigger language plpgsql as $$
begin
    insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                            carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
    select distinct on (c.shop, c.kind_id)
           c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status, c.fulfilment_status,
           c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
           c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
    from changed c
    where not exists (select from order_kind k where k.shop = c.shop and k.kind_id = c.kind_id)
    order by c.shop, c.kind_id
    on conflict do nothing;
    if tg_op = 'INSERT' then
        insert into order_search_due (shop, order_id) select c.shop, c.order_id from changed c;
    else
        update order_facet f set kind_id = c.kind_id, placed_at = c.placed_at from changed c
        where f.order_id = c.order_id and f.shop = c.shop
          and (f.kind_id, f.placed_at) is distinct from (c.kind_id, c.placed_at);
    end if;
    return null;
end $$;

drop index order_facet_by_kind;
create index order_facet_by_kind on order_facet (shop, facet, kind_id, placed_at desc, order_id desc);
alter table order_facet drop column total_minor;
drop index orders_by_placing;
create index orders_by_placing on orders (shop, placed_at desc, order_id desc);
