-- migrate:up

-- A warning about stock, or about money that nobody claims, is about no order; its code is empty.
ALTER TABLE mail ALTER COLUMN order_id DROP NOT NULL;

INSERT INTO hears_since
SELECT type, now() FROM unnest(ARRAY[
    'orders.order.state_changed.v1', 'payments.payment.unmatched.v1', 'payments.dispute.opened.v1',
    'payments.dispute.updated.v1']) AS late (type)
ON CONFLICT DO NOTHING;

-- migrate:down

DELETE FROM hears_since WHERE type IN (
    'orders.order.state_changed.v1', 'payments.payment.unmatched.v1', 'payments.dispute.opened.v1',
    'payments.dispute.updated.v1');
DELETE FROM mail WHERE order_id IS NULL;
ALTER TABLE mail ALTER COLUMN order_id SET NOT NULL;
