-- migrate:up

-- What tells how something stands is in no log: its envelope and body leave with it.
ALTER TABLE msg.dispatch ADD COLUMN headers jsonb, ADD COLUMN body bytea,
    ADD CONSTRAINT dispatch_has_both CHECK ((headers IS NULL) = (body IS NULL));

-- What people had told anew from this service's own tables, to one listener. `told_until` is how far it is; all that
-- is before it was told, so that a process that dies goes on where it was.
CREATE TABLE msg.resync (
    id uuid PRIMARY KEY,
    consumer text NOT NULL,
    queue text NOT NULL,
    shop text NOT NULL,
    orders uuid[],
    wanted bigint NOT NULL,
    told_until uuid,
    told bigint NOT NULL DEFAULT 0,
    messages bigint NOT NULL DEFAULT 0,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE INDEX resync_open ON msg.resync (asked_at) WHERE ended_at IS NULL;

-- migrate:down

DROP TABLE msg.resync;
ALTER TABLE msg.dispatch DROP CONSTRAINT dispatch_has_both, DROP COLUMN body, DROP COLUMN headers;
