-- migrate:up

-- A checkout whose customer has not chosen a payment method is of a kind all the same: one with an empty method.
create or replace function kind_of(shop text, module text, payment_method text, currency text, state text, label text,
                        payment_status text, fulfilment_status text, carriers text[], flags text[], archived boolean,
                        to_pack boolean, to_ship boolean, unfinished boolean, owed_back boolean) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(
        shop || E'\x1f' || module || E'\x1f' || coalesce(payment_method, '') || E'\x1f' || currency || E'\x1f' || state || E'\x1f'
        || label || E'\x1f' || payment_status || E'\x1f' || fulfilment_status || E'\x1f' || archived::text
        || to_pack::text || to_ship::text || unfinished::text || owed_back::text,
        hash_array_extended(carriers, hash_array_extended(flags, 0)))
$$;

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

-- migrate:down

create or replace function kind_of(shop text, module text, payment_method text, currency text, state text, label text,
                        payment_status text, fulfilment_status text, carriers text[], flags text[], archived boolean,
                        to_pack boolean, to_ship boolean, unfinished boolean, owed_back boolean) returns bigint
language sql immutable parallel safe as $$
    select hashtextextended(
        shop || E'\x1f' || module || E'\x1f' || payment_method || E'\x1f' || currency || E'\x1f' || state || E'\x1f'
        || label || E'\x1f' || payment_status || E'\x1f' || fulfilment_status || E'\x1f' || archived::text
        || to_pack::text || to_ship::text || unfinished::text || owed_back::text,
        hash_array_extended(carriers, hash_array_extended(flags, 0)))
$$;

create or replace function know_kinds() returns trigger language plpgsql as $$
begin
    insert into order_kind (shop, module, payment_method, currency, state, label, payment_status, fulfilment_status,
                            carriers, flags, is_archived, is_to_pack, is_to_ship, is_unfinished, is_owed_back)
    select distinct on (c.shop, c.kind_id)
           c.shop, c.module, c.payment_method, c.currency, c.state, c.label, c.payment_status, c.fulfilment_status,
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
