-- migrate:up

-- For letting go what ended long ago.
CREATE INDEX parked_ended ON msg.parked (last_at) WHERE state IN ('resolved', 'discarded');

-- migrate:down

DROP INDEX msg.parked_ended;
