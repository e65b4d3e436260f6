-- migrate:up transaction:false

-- The list of mails of a template. The three that nearly every order has are found by walking `mail_by_shop`.
CREATE INDEX CONCURRENTLY IF NOT EXISTS mail_by_template ON mail (shop, template, created_at, id)
    WHERE template NOT IN ('new_order', 'order_recap', 'shipment_dispatched');

-- migrate:down

DROP INDEX mail_by_template;
