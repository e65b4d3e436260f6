-- migrate:up

-- Something to be done to many orders by commands to other services: told first, started by a person, then carried out
-- whatever happens to the process. `asked` is what was typed, `faults` the lines of it that could not be taken.
create table bulk_run (
    run_id     uuid primary key,
    shop       text not null,
    verb       text not null check (verb in ('pack', 'ship', 'cancel')),
    actor      text not null,
    asked      jsonb not null,
    faults     jsonb not null,
    back       text not null,
    planned_at timestamptz not null,
    started_at timestamptz,
    stopped_at timestamptz,
    sent_at    timestamptz
);
create index bulk_run_by_shop on bulk_run (shop, planned_at desc);
create index bulk_run_by_time on bulk_run (planned_at);
create index bulk_run_to_carry_out on bulk_run (started_at)
    where started_at is not null and sent_at is null and stopped_at is null;

-- One order of it, with what is asked of its owner; null when the order is left out. What became of it is the row of
-- `command` under the item's key, or `reasons`: why it was left out or refused before any command was made.
create table bulk_item (
    shop     text not null,
    run_id   uuid not null references bulk_run on delete cascade,
    position integer not null,
    order_id uuid,
    code     text not null,
    asked    jsonb,
    told     jsonb not null,
    reasons  jsonb,
    primary key (run_id, position)
);
create index bulk_item_by_order on bulk_item (order_id) where order_id is not null;

-- migrate:down

drop table bulk_item, bulk_run;
