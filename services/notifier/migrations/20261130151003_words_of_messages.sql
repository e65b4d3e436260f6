-- migrate:up transaction:false

-- The search in conversations: by the words of messages.
CREATE INDEX CONCURRENTLY IF NOT EXISTS message_by_words ON message USING gin (lower(segments::text) gin_trgm_ops)
    WITH (fastupdate = on, gin_pending_list_limit = 256);

-- migrate:down

DROP INDEX message_by_words;
