-- migrate:up

-- A session that loads very many rows at once says so (`set comptoir.bulk_load = on`) and writes itself what these
-- triggers would; everybody else's rows go through them meanwhile.
drop trigger orders_know_kinds_of_new on orders;
create trigger orders_know_kinds_of_new after insert on orders
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function know_kinds();
drop trigger shipment_search_again on shipment;
create trigger shipment_search_again after insert on shipment
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function search_found_again();
drop trigger order_tag_added on order_tag;
create trigger order_tag_added after insert on order_tag
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function facet_tags_added();

-- Of a ledger's entries only those that a provider knows have words.
drop trigger ledger_entry_search_again on ledger_entry;
create function search_payment_again() returns trigger language plpgsql as $$
begin
    insert into order_search_due (shop, order_id)
    select distinct c.shop, c.order_id from changed c where c.provider_reference is not null;
    return null;
end $$;
create trigger ledger_entry_search_again after insert on ledger_entry
    referencing new table as changed for each statement
    when (current_setting('comptoir.bulk_load', true) is distinct from 'on') execute function search_payment_again();

-- migrate:down

drop trigger ledger_entry_search_again on ledger_entry;
create trigger ledger_entry_search_again after insert on ledger_entry
    referencing new table as changed for each statement execute function search_found_again();
drop function search_payment_again();
drop trigger order_tag_added on order_tag;
create trigger order_tag_added after insert on order_tag
    referencing new table as changed for each statement execute function facet_tags_added();
drop trigger shipment_search_again on shipment;
create trigger shipment_search_again after insert on shipment
    referencing new table as changed for each statement execute function search_found_again();
drop trigger orders_know_kinds_of_new on orders;
create trigger orders_know_kinds_of_new after insert on orders
    referencing new table as changed for each statement execute function know_kinds();
