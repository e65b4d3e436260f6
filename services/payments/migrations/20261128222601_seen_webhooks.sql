-- migrate:up

-- Money of a provider that a person said is nobody's here: what is told of it later is set aside, too.
CREATE TABLE set_aside_payment (
    shop text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    set_aside_at timestamptz NOT NULL,
    PRIMARY KEY (shop, provider, object_id)
);

-- Who had it looked at again: a person has judged it, so what spoke against it by itself no longer does.
ALTER TABLE webhook ADD COLUMN judged_by text;
CREATE INDEX webhook_by_type ON webhook (endpoint, event_type, received_at);
CREATE INDEX webhook_of_shop ON webhook (shop, id);
CREATE INDEX webhook_of_shop_by_state ON webhook (shop, state, id);
CREATE INDEX webhook_by_object ON webhook (shop, provider, object_id) WHERE object_id IS NOT NULL;

-- Every posted webhook ends in exactly one column; received is their sum. An endpoint is one shop's.
CREATE OR REPLACE VIEW webhook_tally AS
SELECT provider, endpoint,
       sum(deliveries) AS received,
       count(*) FILTER (WHERE state = 'received') AS unread,
       count(*) FILTER (WHERE state = 'applied') AS applied,
       sum(deliveries - 1) + count(*) FILTER (WHERE state = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE state = 'irrelevant') AS irrelevant,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'parked') AS parked,
       shop
FROM webhook GROUP BY provider, endpoint, shop;

-- migrate:down
DROP VIEW webhook_tally;
CREATE OR REPLACE VIEW webhook_tally AS
SELECT provider, endpoint,
       sum(deliveries) AS received,
       count(*) FILTER (WHERE state = 'received') AS unread,
       count(*) FILTER (WHERE state = 'applied') AS applied,
       sum(deliveries - 1) + count(*) FILTER (WHERE state = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE state = 'irrelevant') AS irrelevant,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'parked') AS parked
FROM webhook GROUP BY provider, endpoint;
DROP INDEX webhook_by_object;
DROP INDEX webhook_of_shop_by_state;
DROP INDEX webhook_of_shop;
DROP INDEX webhook_by_type;
ALTER TABLE webhook DROP COLUMN judged_by;
DROP TABLE set_aside_payment;
