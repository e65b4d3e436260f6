-- migrate:up

-- Tracking numbers and payment references are looked up without the blanks and signs people write into them.
create function joined_code(code text) returns text
language sql immutable strict parallel safe as $$
    select upper(regexp_replace(code, '[^0-9A-Za-z]+', '', 'g') collate "C")
$$;
create index shipment_by_joined_number on shipment (shop, joined_code(tracking_number))
    where tracking_number is not null;
create index ledger_entry_by_joined_provider_reference on ledger_entry (shop, joined_code(provider_reference))
    where provider_reference is not null;
create index ledger_entry_by_joined_reference on ledger_entry (shop, joined_code(reference))
    where reference is not null;

-- The references of cheques and transfers are searched too, and numbers that a shipment gets or changes later.
create or replace function search_payment_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id)
    select distinct c.shop, c.order_id from changed c
    where c.provider_reference is not null or c.reference is not null;
    return null;
end $$;
create trigger shipment_number_search_again after update on shipment
    referencing new table as changed for each statement execute function search_found_again();

-- Words are folded in another way now: the worker writes every document again.
insert into order_search_due (shop, order_id) select shop, order_id from orders;

-- migrate:down

drop trigger shipment_number_search_again on shipment;
create or replace function search_payment_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id)
    select distinct c.shop, c.order_id from changed c where c.provider_reference is not null;
    return null;
end $$;
drop index ledger_entry_by_joined_reference;
drop index ledger_entry_by_joined_provider_reference;
drop index shipment_by_joined_number;
drop function joined_code(text);
