-- migrate:up

-- Copy of payments' refunds: each as the highest version heard of says it.
create table refund (
    shop               text not null,
    order_id           uuid not null,
    refund_id          uuid not null,
    version            integer not null,
    mode               text not null check (mode in ('recorded', 'sent', 'external')),
    state              text not null check (state in ('marked', 'sent', 'confirmed', 'failed')),
    amount_minor       bigint not null,
    confirmed_minor    bigint,
    currency           text not null,
    provider           text,
    payment_reference  text,
    provider_reference text,
    reference          text,
    lines              jsonb not null,
    cause              text not null,
    reason             text,
    actor              text not null,
    asked_at           timestamptz not null,
    detail             text,
    primary key (shop, order_id, refund_id)
);

-- Payments that a person gave to an order: they are nobody's no more.
create table assigned_payment (
    shop               text not null,
    provider           text not null,
    provider_reference text not null,
    order_id           uuid not null,
    primary key (shop, provider, provider_reference, order_id)
);

-- Which payment an entry refunds, reverses or moves.
alter table ledger_entry add column payment_entry_id uuid;
create index ledger_entry_by_recording on ledger_entry (shop, recorded_at desc, entry_id desc);

-- migrate:down

drop index ledger_entry_by_recording;
alter table ledger_entry drop column payment_entry_id;
drop table assigned_payment, refund;
