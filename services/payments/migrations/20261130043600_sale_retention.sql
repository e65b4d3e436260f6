-- migrate:up

-- Sales that may have to be erased, the oldest first.
CREATE INDEX sale_kept ON sale (placed_at) WHERE content IS NOT NULL;

-- migrate:down

DROP INDEX sale_kept;
