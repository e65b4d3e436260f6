-- migrate:up

-- For letting go the content of webhooks that ended long ago.
CREATE INDEX webhook_with_content ON webhook (handled_at)
    WHERE state IN ('applied', 'duplicate', 'irrelevant') AND length(body) > 2 AND handled_at IS NOT NULL;

-- migrate:down

DROP INDEX webhook_with_content;
