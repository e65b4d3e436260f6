-- migrate:up

-- The reminder of an abandoned checkout is a mail about an order that was never placed.
ALTER TABLE mail DROP CONSTRAINT mail_shop_order_id_fkey;

INSERT INTO hears_since VALUES ('orders.checkout.abandoned.v1', now()) ON CONFLICT DO NOTHING;

-- migrate:down

DELETE FROM hears_since WHERE type = 'orders.checkout.abandoned.v1';
DELETE FROM mail WHERE template = 'checkout_abandoned';
ALTER TABLE mail ADD CONSTRAINT mail_shop_order_id_fkey FOREIGN KEY (shop, order_id) REFERENCES addressee;
