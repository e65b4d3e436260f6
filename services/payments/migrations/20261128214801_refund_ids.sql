-- migrate:up

-- A refund's id is that of one refund, of whatever shop: it is looked for without knowing the shop.
CREATE INDEX refund_by_id ON refund (refund_id);

-- migrate:down
DROP INDEX refund_by_id;
