-- migrate:up

-- What of a line edits took off since it was placed; fulfillment's `ordered` is quantity + reduced. A line that an edit
-- removed keeps its number, with quantity 0.
alter table order_line
    add column reduced integer not null default 0 check (reduced >= 0),
    drop constraint order_line_quantity_check,
    add constraint order_line_quantity_check check (quantity >= 0);

-- A change of a placed order: edited, cancelled, reinstated or deleted. `edit_id` is its command's id. Only fulfillment
-- knows what has left, so it is asked first: `reducing`, then `adding`, then done or rejected. Units are JSON by line.
create table order_edit (
    shop               text not null,
    order_id           uuid not null,
    edit_id            uuid not null,
    cause              text not null check (cause in ('edited', 'cancelled', 'reinstated', 'deleted')),
    state              text not null check (state in ('reducing', 'adding', 'done', 'rejected')),
    actor              text not null,
    reason             text,
    forced             boolean not null,
    wanted             json,              -- the content asked for by an edit
    asked_off          jsonb not null,    -- units fulfillment was asked to stop
    asked_on           jsonb not null,    -- units fulfillment was or will be asked to add
    stopped            jsonb not null,
    not_stopped        jsonb not null,    -- had left
    missing            jsonb not null,    -- had no stock
    number             integer,           -- counts the order's changes that took effect
    due_change_minor   bigint not null default 0,
    total_before_minor bigint not null,
    total_after_minor  bigint not null,
    undone_by          uuid,              -- the reinstatement that took a cancellation back
    requested_at       timestamptz not null,
    settled_at         timestamptz,
    primary key (shop, order_id, edit_id)
);
-- One at a time: the next would count on quantities that this one is just changing.
create unique index order_edit_open on order_edit (shop, order_id) where state in ('reducing', 'adding');

-- What a sale's submission said and an edit replaced: customer, addresses, shipping, extra lines, totals.
create table amendment (
    shop     text not null,
    order_id uuid not null,
    content  json not null,
    primary key (shop, order_id)
);

-- All that is left of a deleted order. What is heard of it later changes nothing.
create table deleted_order (
    shop       text not null,
    order_id   uuid not null,
    code       text not null,
    actor      text not null,
    reason     text not null,
    deleted_at timestamptz not null,
    heard      uuid[] not null, -- what its storefront had said of its checkout, which was no sale
    primary key (shop, order_id)
);
create index deleted_order_by_code on deleted_order (shop, code);

-- migrate:down

drop table deleted_order, amendment, order_edit;
alter table order_line
    drop column reduced,
    drop constraint order_line_quantity_check,
    add constraint order_line_quantity_check check (quantity > 0);
