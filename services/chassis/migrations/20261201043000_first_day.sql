-- migrate:up

-- When this database was first used: on its first day the clock is no more doubtful than a new installation's, and no
-- warning. It is unknown where an earlier version wrote the row.
ALTER TABLE msg.clock ADD COLUMN first_seen_at timestamptz;

-- migrate:down

ALTER TABLE msg.clock DROP COLUMN first_seen_at;
