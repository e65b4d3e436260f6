-- migrate:up

-- Counts the changes of an order that a person can see: a form says which one it was made from.
alter table orders add column revision integer not null default 1;

-- The revision an activity led to; null where nothing of the order itself changed (a mail, a refused command).
alter table activity add column revision integer;
alter table state_change add column revision integer;

-- migrate:down

alter table state_change drop column revision;
alter table activity drop column revision;
alter table orders drop column revision;
