-- migrate:up

-- Since when this service hears messages that it did not hear at first. What was said before had no way here, and is
-- not missing.
CREATE TABLE hears_since (
    type text PRIMARY KEY,
    since timestamptz NOT NULL
);
INSERT INTO hears_since
SELECT type, now() FROM unnest(ARRAY[
    'orders.order.deleted.v1', 'payments.refund.marked.v1', 'payments.refund.sent.v1']) AS late (type);

-- migrate:down

DROP TABLE hears_since;
