-- migrate:up

-- For finding what is past its time.
create index audit_by_time on audit (at);

-- migrate:down

drop index audit_by_time;
