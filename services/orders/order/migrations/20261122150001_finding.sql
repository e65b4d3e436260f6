-- migrate:up

-- Finding orders among a million: what the list, the search and the export read beside `orders` itself.

create extension if not exists pg_trgm;

-- Carriers that took any of the order's parcels, sorted.
alter table orders add column carriers text[] not null default '{}';

-- One number for a combination of all that lists filter by and that has few values. A filter is then a set of numbers,
-- and one index serves every filter. The database itself computes it: no writer of `orders` can forget it. A checkout whose
-- customer has not chosen a payment method has the empty one.
create function kind_of(shop text, module text, payment_method text, currency text, state text, label text,
                        payment_status text, fulfilment_status text, carriers text[], flags text[], archived boolean,
                        to_pack boolean, to_ship boolean, unfinished boolean, owed_back boolean) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(
        shop || E'\x1f' || module || E'\x1f' || coalesce(payment_method, '') || E'\x1f' || currency || E'\x1f'
        || state || E'\x1f' || label || E'\x1f' || payment_status || E'\x1f' || fulfilment_status || E'\x1f' || archived::text
        || to_pack::text || to_ship::text || unfinished::text || owed_back::text,
        hash_array_extended(carriers, hash_array_extended(flags, 0)))
$$;

alter table orders add column kind_id bigint not null generated always as (
    kind_of(shop, module, payment_method, currency, state, label, payment_status, fulfilment_status, carriers, flags,
            archived_at is not null, units_to_pack > 0, units_to_ship > 0,
            ship_delivered < ship_needed or other_finished < other_needed, balance_minor < 0)) stored;
alter table orders alter column kind_id set statistics 2000;
alter table orders set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
                        autovacuum_analyze_scale_factor = 0.02);

drop index orders_by_state;
drop index orders_by_payment_status;
create index orders_by_kind on orders (shop, kind_id, placed_at desc, order_id desc);
-- All that decides whether an order is listed is in the indexes that lists walk: looking at an order that is not shown
-- costs a tenth of reading its row.
drop index orders_by_placing;
create index orders_by_placing on orders (shop, placed_at desc, order_id desc) include (kind_id, total_minor);
create index orders_by_total on orders (shop, kind_id, total_minor desc, order_id desc) include (placed_at);

-- The combinations that have occurred. Rows are never removed.
create table order_kind (
    shop              text not null,
    kind_id           bigint not null generated always as (
        kind_of(shop, module, payment_method, currency, state, label, payment_status, fulfilment_status, carriers,
                flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)) stored,
    module            text not null,
    payment_method    text not null,
    currency          text not null,
    state             text not null,
    label             text not null,
    payment_status    text not null,
    fulfilment_status text not null,
    carriers          text[] not null,
    flags             text[] not null,
    is_archived       boolean not null,
    is_to_pack        boolean not null,
    is_to_ship        boolean not null,
    is_unfinished     boolean not null,
    is_owed_back      boolean not null,
    primary key (shop, kind_id)
);

-- What an order may have several of (tags). `kind_id`, `placed_at` and `total_minor` are the order's own, kept by a
-- trigger.
create table order_facet (
    shop        text not null,
    order_id    uuid not null,
    facet       text not null,
    kind_id     bigint not null,
    placed_at   timestamptz not null,
    total_minor bigint not null,
    primary key (order_id, shop, facet)
);
create index order_facet_by_kind on order_facet (shop, facet, kind_id, placed_at desc, order_id desc)
    include (total_minor);

-- What the search compares with: plain ASCII words of an order, folded by the service. Kept about a second late. With it
-- what an export says of an order beside its row: taking a million submissions apart for every export would take most of
-- its time. Null: not worked out yet.
create table order_search (
    shop               text not null,
    order_id           uuid not null,
    placed_at          timestamptz not null,
    mail               text not null,
    document           text not null,
    country            text,
    tax_minor          bigint,
    shipping_minor     bigint,
    vat_rates          integer[],
    vat_minor          bigint[],
    payment_references text[],
    primary key (order_id, shop)
);
create index order_search_by_placing on order_search (shop, placed_at desc, order_id desc);
create index order_search_by_mail on order_search (shop, mail, placed_at desc);
create index order_search_by_trigram on order_search using gin (document gin_trgm_ops)
    with (fastupdate = on, gin_pending_list_limit = 256);

-- Orders whose row in `order_search` has to be written anew. No key: it is written in passing and emptied at once.
create table order_search_due (
    shop     text not null,
    order_id uuid not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

-- A list of orders that somebody keeps under a name; without an owner it is everybody's.
create table saved_view (
    view_id    uuid primary key,
    shop       text not null,
    owner      text,
    name       text not null,
    query      text not null,
    position   integer not null,
    created_at timestamptz not null
);
create index saved_view_by_owner on saved_view (shop, owner, position);

-- What the queue of problems shows beside the flags.
create index mail_in_trouble on mail (shop, order_id) where state <> 'sent' and order_id is not null;
create index command_parked on command (shop, order_id) where state = 'parked' and order_id is not null;

-- A session that loads very many rows at once says so (`set comptoir.bulk_load = on`) and writes itself what triggers of
-- new rows would; everybody else's rows go through them meanwhile.

-- Every kind in use is in the dictionary, in the same transaction; in one sequence, so that two writers can't deadlock.
create function know_kinds() returns trigger language plpgsql as $$
begin
    insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                            carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
    select distinct on (c.shop, c.kind_id)
           c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status,
           c.fulfilment_status, c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
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
create trigger orders_know_kinds_of_new after insert on orders
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function know_kinds();
create trigger orders_know_kinds_of_changed after update on orders
    referencing new table as changed for each statement execute function know_kinds();

create function search_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id) values (new.shop, new.order_id);
    return null;
end $$;
create trigger orders_search_again
    after update of code, placed_at, total_minor, customer_name, customer_email, customer_phone, source_reference
    on orders for each row execute function search_again();

create function search_found_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id) select distinct c.shop, c.order_id from changed c;
    return null;
end $$;
create trigger shipment_search_again after insert on shipment
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function search_found_again();
-- Of a ledger's entries only those that a provider knows have words.
create function search_payment_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id)
    select distinct c.shop, c.order_id from changed c where c.provider_reference is not null;
    return null;
end $$;
create trigger ledger_entry_search_again after insert on ledger_entry
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function search_payment_again();

-- A tag of an order is a facet of it. Whoever tags holds the order; merging tags does not, so the service looks again.
create function facet_tags_added() returns trigger language plpgsql as $$
begin
    insert into order_facet (shop, order_id, facet, kind_id, placed_at, total_minor)
    select c.shop, c.order_id, 'tag:' || c.tag_id, o.kind_id, o.placed_at, o.total_minor
    from changed c join orders o on o.order_id = c.order_id and o.shop = c.shop
    on conflict do nothing;
    insert into order_search_due (shop, order_id) select distinct c.shop, c.order_id from changed c;
    return null;
end $$;
create trigger order_tag_added after insert on order_tag
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function facet_tags_added();
create function facet_tags_removed() returns trigger language plpgsql as $$
begin
    delete from order_facet f using changed c
    where f.order_id = c.order_id and f.shop = c.shop and f.facet = 'tag:' || c.tag_id;
    return null;
end $$;
create trigger order_tag_removed after delete on order_tag
    referencing old table as changed for each statement execute function facet_tags_removed();

-- An order that is gone is found nowhere.
create function forget_order() returns trigger language plpgsql as $$
begin
    delete from order_search where order_id = old.order_id and shop = old.shop;
    delete from order_facet where order_id = old.order_id and shop = old.shop;
    return null;
end $$;
create trigger orders_forget after delete on orders for each row execute function forget_order();

-- Orders that were there before.
insert into order_search_due (shop, order_id) select shop, order_id from orders;
insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                        carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
select distinct on (c.shop, c.kind_id)
       c.shop, c.module, coalesce(c.payment_method, ''), c.currency, c.state, c.label, c.payment_status,
       c.fulfilment_status, c.carriers, c.flags, c.archived_at is not null, c.units_to_pack > 0, c.units_to_ship > 0,
       c.ship_delivered < c.ship_needed or c.other_finished < c.other_needed, c.balance_minor < 0
from orders c order by c.shop, c.kind_id;

insert into order_facet (shop, order_id, facet, kind_id, placed_at, total_minor)
select t.shop, t.order_id, 'tag:' || t.tag_id, o.kind_id, o.placed_at, o.total_minor
from order_tag t join orders o on o.order_id = t.order_id and o.shop = t.shop;

-- migrate:down

drop trigger order_tag_removed on order_tag;
drop trigger order_tag_added on order_tag;
drop function facet_tags_removed();
drop function facet_tags_added();
drop trigger orders_forget on orders;
drop trigger orders_search_again on orders;
drop trigger orders_know_kinds_of_changed on orders;
drop trigger orders_know_kinds_of_new on orders;
drop trigger shipment_search_again on shipment;
drop trigger ledger_entry_search_again on ledger_entry;
drop function forget_order();
drop function search_payment_again();
drop function search_found_again();
drop function search_again();
drop function know_kinds();
drop index command_parked;
drop index mail_in_trouble;
drop table saved_view, order_search_due, order_search, order_facet, order_kind;
drop index orders_by_total;
drop index orders_by_kind;
drop index orders_by_placing;
alter table orders drop column kind_id;
alter table orders drop column carriers;
drop function kind_of(text, text, text, text, text, text, text, text, text[], text[], boolean, boolean, boolean,
                      boolean, boolean);
create index orders_by_placing on orders (shop, placed_at desc, order_id desc);
create index orders_by_state on orders (shop, state, placed_at desc, order_id desc);
create index orders_by_payment_status on orders (shop, payment_status, placed_at desc, order_id desc);
drop extension pg_trgm;
