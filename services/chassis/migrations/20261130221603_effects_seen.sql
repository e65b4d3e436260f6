-- migrate:up transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS effect_seen ON msg.effect (acknowledged_at)
    WHERE state = 'failed' AND acknowledged_at IS NOT NULL;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS msg.effect_seen;
