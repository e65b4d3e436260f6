-- migrate:up

-- What an export says of an order beside its row, worked out with its words: taking a million submissions apart for
-- every export would take most of its time. Null: not worked out yet.
alter table order_search
    add column country            text,
    add column tax_minor          bigint,
    add column shipping_minor     bigint,
    add column vat_rates          integer[],
    add column vat_minor          bigint[],
    add column payment_references text[];
insert into order_search_due (shop, order_id) select shop, order_id from order_search;

-- migrate:down

alter table order_search
    drop column payment_references,
    drop column vat_minor,
    drop column vat_rates,
    drop column shipping_minor,
    drop column tax_minor,
    drop column country;
