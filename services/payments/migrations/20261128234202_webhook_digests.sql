-- migrate:up

-- Whether a known event id came with the body it had before is still known when the content is gone. Null: the row is of
-- the version before, and its content is still there to be compared.
alter table webhook add column body_digest bytea;

-- migrate:down

alter table webhook drop column body_digest;
