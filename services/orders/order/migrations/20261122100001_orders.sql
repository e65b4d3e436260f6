-- migrate:up

-- Every table is keyed by shop first. There are no foreign keys: an order's rows are inserted in one transaction,
-- facts about an order wait until it exists, and mails may name an order that never will.

-- The claim of (shop, module, idempotency key): the first submission with a key owns it, whatever its answer was.
-- `body` is the submission as received; customer's IP address and browser exist nowhere else.
create table submission (
    shop            text not null,
    module          text not null,
    idempotency_key text not null,
    submission_id   uuid not null,
    content_hash    bytea not null,
    body            json not null,
    received_at     timestamptz not null,
    primary key (shop, module, idempotency_key)
);

-- Submissions that were refused: for their own content, for a key already used, or for not being the sender's shop.
create table refusal (
    shop             text not null,
    submission_id    uuid not null,
    module           text not null,
    idempotency_key  text not null,
    source_reference text,
    reasons          jsonb not null,
    body             json not null,
    refused_at       timestamptz not null,
    primary key (shop, submission_id)
);

create table orders (
    shop                   text not null,
    order_id               uuid not null,
    code                   text not null,
    sequence               bigint not null,
    module                 text not null,
    idempotency_key        text not null,
    source_reference       text,
    locale                 text not null,
    placed_at              timestamptz not null,
    customer_name          text not null,
    customer_email         text not null,
    customer_phone         text,
    payment_method         text not null,
    currency               text not null,
    total_minor            bigint not null,

    -- derived, recomputed after every fact
    state                  text not null check (state in ('draft', 'in_checkout', 'abandoned', 'awaiting_payment',
                                                          'ready', 'processing', 'completed', 'cancelled')),
    label                  text not null,
    automatic_state        text not null,
    payment_status         text not null,
    fulfilment_status      text not null,
    flags                  text[] not null,

    -- a staff member's choice: `hand_state` is shown while the automatic state is `hand_over`
    hand_state             text,
    hand_label             text,
    hand_over              text,

    -- copy of payments' position; version 0: not heard of yet, due = total
    payment_version        integer not null,
    due_minor              bigint not null,
    credited_minor         bigint not null default 0,
    received_minor         bigint not null default 0,
    received_by_hand_minor bigint not null default 0,
    refunded_minor         bigint not null default 0,
    marked_minor           bigint not null default 0,
    disputed_minor         bigint not null default 0,
    authorised_minor       bigint not null default 0,
    balance_minor          bigint not null,
    attempt                text not null default 'none',
    payment_flags          text[] not null default '{}',

    -- copy of fulfillment's position; version 0: not heard of yet, everything still to do.
    -- Units of `ship` lines, and of the other kinds (tickets, bookings, services) together.
    fulfilment_version     integer not null,
    stock                  text not null default 'not_required',
    line_positions         jsonb not null default '[]',
    ship_ordered           integer not null,
    ship_needed            integer not null,
    ship_packed            integer not null default 0,
    ship_lost              integer not null default 0,
    ship_shipped           integer not null default 0,
    ship_delivered         integer not null default 0,
    ship_returned          integer not null default 0,
    other_ordered          integer not null,
    other_needed           integer not null,
    other_finished         integer not null default 0,
    units_to_pack          integer not null,
    units_to_ship          integer not null,

    archived_at            timestamptz,
    received_at            timestamptz not null,
    changed_at             timestamptz not null,
    primary key (order_id, shop)
) with (fillfactor = 85);

-- The unique keys begin with what tells orders apart, and one order is looked up without an indexable condition on
-- its shop: so no list's index looks as good, not even to a plan made when the table was empty and a shop one row.
create unique index orders_by_code on orders (code, shop);
create index orders_by_placing on orders (shop, placed_at desc, order_id desc);
create index orders_by_state on orders (shop, state, placed_at desc, order_id desc);
create index orders_by_payment_status on orders (shop, payment_status, placed_at desc, order_id desc);

create table order_line (
    shop             text not null,
    order_id         uuid not null,
    line             integer not null,
    kind             text not null,
    description      text not null,
    sku              text,
    quantity         integer not null check (quantity > 0),
    unit_price_minor bigint not null,
    discount_minor   bigint not null,
    total_minor      bigint not null,
    vat_rate         integer not null,
    resource         text,
    starts_at        timestamptz,
    ends_at          timestamptz,
    options          json,
    primary key (shop, order_id, line)
);

-- The history of the shown state as this service came to know it; the one table that depends on arrival.
create table state_change (
    shop           text not null,
    order_id       uuid not null,
    sequence       bigint not null,
    previous_state text,
    state          text not null,
    previous_label text,
    label          text not null,
    cause_id       uuid,
    cause_type     text not null,
    actor          text,
    changed_at     timestamptz not null,
    primary key (shop, order_id, sequence)
);

-- What happened to an order, by whom and why. One row per fact: `item` is the fact's own id (the ledger entry, the
-- parcel, the mail, …), so that the same fact heard twice is one row.
create table activity (
    shop        text not null,
    order_id    uuid not null,
    kind        text not null,
    item        uuid not null,
    happened_at timestamptz not null,
    actor       text not null,
    cause_id    uuid not null,
    data        jsonb not null,
    primary key (shop, order_id, kind, item)
);

-- Copy of payments' ledger.
create table ledger_entry (
    shop               text not null,
    order_id           uuid not null,
    entry_id           uuid not null,
    kind               text not null,
    method             text not null,
    amount_minor       bigint not null,
    currency           text not null,
    provider           text,
    provider_reference text,
    reference          text,
    received_on        date not null,
    clearing_on        date,
    note               text,
    recorded_by        text not null,
    balance_minor      bigint not null,
    recorded_at        timestamptz not null,
    primary key (shop, order_id, entry_id)
);
create index ledger_entry_by_provider_reference on ledger_entry (shop, provider_reference)
    where provider_reference is not null;

-- Money no order claims («À identifier»). It has found its order once a ledger entry with its reference exists.
create table unmatched_payment (
    shop               text not null,
    provider           text not null,
    provider_reference text not null,
    amount_minor       bigint not null,
    currency           text not null,
    received_at        timestamptz not null,
    reason             text not null,
    event_id           uuid not null,
    primary key (shop, provider, provider_reference)
);

create table parcel (
    shop         text not null,
    order_id     uuid not null,
    parcel_id    uuid not null,
    number       integer not null,
    kind         text not null,
    weight_grams integer,
    lines        jsonb not null,
    packed_at    timestamptz not null,
    packed_by    text not null,
    primary key (shop, order_id, parcel_id)
);

create table shipment (
    shop            text not null,
    order_id        uuid not null,
    shipment_id     uuid not null,
    parcel_ids      uuid[] not null,
    lines           jsonb not null,
    carrier         text not null,
    tracking_number text,
    tracking_url    text,
    shipped_on      date not null,
    expected_on     date,
    notify_customer boolean not null,
    dispatched_at   timestamptz not null,
    dispatched_by   text not null,
    primary key (shop, order_id, shipment_id)
);
create index shipment_by_tracking_number on shipment (shop, tracking_number) where tracking_number is not null;

-- A delivery may be heard of before its shipment; both are sets of facts, joined when read.
create table delivery (
    shop            text not null,
    order_id        uuid not null,
    shipment_id     uuid not null,
    parcel_ids      uuid[] not null,
    delivered_at    timestamptz not null,
    proof           text not null,
    proof_reference text,
    recorded_by     text not null,
    primary key (shop, order_id, shipment_id)
);

-- Copy of what became of mails; `order_id` may be null or name an order not (yet) known here.
create table mail (
    shop      text not null,
    mail_id   uuid not null,
    order_id  uuid,
    template  text not null,
    recipient text not null,
    cause_id  uuid not null,
    state     text not null check (state in ('uncertain', 'failed', 'sent')),
    at        timestamptz not null,
    detail    text,
    primary key (shop, mail_id)
);
create index mail_by_order on mail (shop, order_id) where order_id is not null;

-- What this service asked of others. `parked` may still become done or rejected, which are final.
create table command (
    command_id      uuid primary key,
    shop            text not null,
    order_id        uuid,
    type            text not null,
    actor           text not null,
    idempotency_key text,
    request_hash    bytea,
    state           text not null default 'pending' check (state in ('pending', 'parked', 'done', 'rejected')),
    outcome         jsonb,
    requested_at    timestamptz not null,
    settled_at      timestamptz
);
create unique index command_by_idempotency_key on command (shop, idempotency_key) where idempotency_key is not null;
create index command_by_order on command (shop, order_id, requested_at desc) where order_id is not null;

-- migrate:down

drop table command, mail, delivery, shipment, parcel, unmatched_payment, ledger_entry, activity, state_change,
    order_line, orders, refusal, submission;
