-- migrate:up

-- Whether a known event id came with the body it had before is still known when the content is gone. Null: a process of the version before wrote the row, and its content is there.
alter table webhook add column body_digest bytea;
update webhook set body_digest = sha256(body);

-- migrate:down

alter table webhook drop column body_digest;
