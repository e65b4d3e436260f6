-- migrate:up

-- The conversations that a person looks after and has not closed are counted on every page of the inbox.
create index thread_by_assignee on thread (shop, assignee) where assignee is not null and state <> 'closed';

-- migrate:down

drop index thread_by_assignee;
