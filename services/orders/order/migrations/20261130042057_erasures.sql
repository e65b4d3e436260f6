-- migrate:up

-- Orders of a customer, who is known by the mail address.
create index orders_by_customer on orders (shop, lower(customer_email), placed_at desc, order_id desc)
    where customer_email is not null;

-- The proof of an erasure: who asked for it when and why, and of how many orders. It names neither customer nor orders.
create table erasure (
    erasure_id   uuid primary key,
    shop         text not null,
    actor        text not null,
    reason       text not null,
    orders       integer not null check (orders > 0),
    had_running  boolean not null,
    requested_at timestamptz not null
);
create index erasure_by_shop on erasure (shop, requested_at desc);

-- What each service has reported: changed rows by table, summed over the passes.
create table erasure_report (
    erasure_id uuid not null references erasure,
    service    text not null,
    counts     jsonb not null,
    passes     integer not null check (passes > 0),
    first_at   timestamptz not null,
    last_at    timestamptz not null,
    primary key (erasure_id, service)
);

-- migrate:down

drop table erasure_report, erasure;
drop index orders_by_customer;
