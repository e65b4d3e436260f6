-- migrate:up

-- The shops whose invoices are issued and mailed when an order is placed.
CREATE TABLE shop_invoicing (
    shop text PRIMARY KEY,
    version integer NOT NULL,
    mails_at_placement boolean NOT NULL
);

-- Recaps that wait for their invoice, and with which one they went. A row stays: a repeated invoice finds it.
CREATE TABLE recap_hold (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    cause_id uuid NOT NULL, -- the event that placed the order
    ended_at timestamptz,
    invoice_id uuid,
    PRIMARY KEY (shop, order_id),
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);

INSERT INTO hears_since VALUES ('payments.invoicing.changed.v1', now()) ON CONFLICT DO NOTHING;

-- migrate:down

DELETE FROM hears_since WHERE type = 'payments.invoicing.changed.v1';
DROP TABLE recap_hold;
DROP TABLE shop_invoicing;
