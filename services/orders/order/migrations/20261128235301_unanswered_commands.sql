-- migrate:up

-- For finding commands that have no outcome, however many have one.
create index command_unanswered on command (shop, requested_at) where state = 'pending';

-- migrate:down

drop index command_unanswered;
