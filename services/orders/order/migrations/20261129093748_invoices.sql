-- migrate:up

-- Headings of issued invoices and credit notes, copied from payments' events. They never change.
create table invoice (
    shop        text not null,
    order_id    uuid not null,
    invoice_id  uuid not null,
    kind        text not null check (kind in ('invoice', 'credit_note')),
    number      text not null,
    corrects    text,
    issued_on   date not null,
    issued_at   timestamptz not null,
    currency    text not null,
    net_minor   bigint not null,
    tax_minor   bigint not null,
    total_minor bigint not null,
    primary key (shop, order_id, invoice_id)
);
create index invoice_by_number on invoice (shop, number);

-- migrate:down

drop table invoice;
