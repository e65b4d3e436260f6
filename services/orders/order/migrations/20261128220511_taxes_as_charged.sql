-- migrate:up

-- What a sender states of a line beside its total: the tax, several taxes as JSON (label, rate_ppm, tax_minor), and a
-- unit price in the major unit that is finer than the minor unit. Null: not stated.
alter table order_line
    add column unit_price_exact text,
    add column tax_minor bigint,
    add column taxes json;

-- VAT rates in millionths (88750 is 8.875 %), beside `vat_minor`. Null: an earlier row, whose rates are basis points in
-- `vat_rates`.
alter table order_search add column vat_ppm integer[];

-- migrate:down

alter table order_search drop column vat_ppm;
alter table order_line drop column unit_price_exact, drop column tax_minor, drop column taxes;
