-- migrate:up

-- The provider's object that a webhook names, as its API answered: the only source of amounts where the signature does
-- not bind the body.
ALTER TABLE webhook ADD COLUMN answer bytea;

-- Which body came with a provider's signature headers: the same headers with another body are a forgery.
CREATE TABLE webhook_transmission (
    provider text NOT NULL,
    endpoint text NOT NULL,
    transmission text NOT NULL,
    body_digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, endpoint, transmission)
);
CREATE INDEX webhook_transmission_by_time ON webhook_transmission (received_at);

-- migrate:down
DROP TABLE webhook_transmission;
ALTER TABLE webhook DROP COLUMN answer;
