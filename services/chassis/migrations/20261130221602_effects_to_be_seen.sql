-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_to_be_seen ON msg.effect (kind, updated_at)
    WHERE state = 'failed' AND acknowledged_at IS NULL;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS msg.effect_to_be_seen;
