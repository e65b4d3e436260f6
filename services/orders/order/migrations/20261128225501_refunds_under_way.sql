-- migrate:up

-- The part of what was refunded that the provider has taken and not yet confirmed.
alter table orders add column refunds_pending_minor bigint not null default 0;

-- migrate:down

alter table orders drop column refunds_pending_minor;
