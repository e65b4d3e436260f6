-- migrate:up

create index command_of_no_order on command (shop) where order_id is null;

-- migrate:down

drop index command_of_no_order;
