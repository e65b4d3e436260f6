-- migrate:up

-- A digest of the body under which an event id was seen first: the same id with another body is another message.
-- Null in rows from before this column.
ALTER TABLE msg.inbox ADD COLUMN digest bytea;

-- migrate:down

ALTER TABLE msg.inbox DROP COLUMN digest;
