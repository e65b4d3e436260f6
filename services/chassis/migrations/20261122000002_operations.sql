-- migrate:up

-- A dispatch that the broker turned away: why, and since when. One of a replay says which.
ALTER TABLE msg.dispatch ADD COLUMN refused text, ADD COLUMN refused_at timestamptz, ADD COLUMN replay_id uuid;

-- What people had said again: a range of the event log, to one listener.
CREATE TABLE msg.replay (
    id uuid PRIMARY KEY,
    queue text NOT NULL,
    types text[] NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    messages bigint NOT NULL,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL
);

-- Effects that a person may have to look at are counted often.
CREATE INDEX effect_in_trouble ON msg.effect (kind, state) WHERE state IN ('failed', 'uncertain');
CREATE INDEX parked_unsolved ON msg.parked (fingerprint, id) WHERE state IN ('waiting', 'dead');

-- migrate:down

DROP INDEX msg.parked_unsolved;
DROP INDEX msg.effect_in_trouble;
DROP TABLE msg.replay;
ALTER TABLE msg.dispatch DROP COLUMN replay_id, DROP COLUMN refused_at, DROP COLUMN refused;
