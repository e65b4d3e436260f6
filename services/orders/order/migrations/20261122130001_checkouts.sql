-- migrate:up

-- What is known of a checkout, from the first message that names it: facts that may arrive in any sequence.
-- `body` is the CheckoutOpened with the highest `opened_at`, with customer's IP address and browser; it is
-- forgotten once the checkout is placed, whose submission then holds the sale. `paid_at`: money that names it came.
create table checkout (
    shop         text not null,
    checkout_id  uuid not null,
    module       text,
    opened_at    timestamptz,
    snapshot_id  uuid,
    body         json,
    dropped_at   timestamptz,
    timed_out_at timestamptz,
    paid_at      timestamptz,
    primary key (shop, checkout_id)
);

-- A checkout is an order that was not placed yet: `stage` tells. What its customer has not told is null, nothing is
-- due and no unit is ordered. `placed_at` is then the time at which it was opened last.
alter table orders
    add column stage text not null default 'placed' check (stage in ('draft', 'checkout', 'checkout_over', 'placed')),
    alter column customer_name drop not null,
    alter column customer_email drop not null,
    alter column payment_method drop not null;

-- The order that a submission is about, when it is a checkout's; else it has the submission's own id.
alter table submission add column checkout_id uuid;

alter table unmatched_payment add column order_id uuid;

-- migrate:down

alter table unmatched_payment drop column order_id;
alter table submission drop column checkout_id;
delete from order_line l using orders o where (o.shop, o.order_id) = (l.shop, l.order_id) and o.stage <> 'placed';
delete from orders where stage <> 'placed';
alter table orders
    drop column stage,
    alter column customer_name set not null,
    alter column customer_email set not null,
    alter column payment_method set not null;
drop table checkout;
