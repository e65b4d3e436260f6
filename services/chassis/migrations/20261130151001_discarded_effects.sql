-- migrate:up

-- Lists of effects that were set aside or withdrawn; those in trouble have theirs.
CREATE INDEX effect_discarded ON msg.effect (kind) WHERE state = 'discarded';

-- migrate:down

DROP INDEX msg.effect_discarded;
