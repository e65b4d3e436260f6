-- migrate:up

-- Further addresses from which an order's customer writes, as staff recognised them. The order's own mail address is
-- the recipient's.
CREATE TABLE customer_address (
    shop     text NOT NULL,
    order_id uuid NOT NULL,
    address  text NOT NULL, -- in small letters, as senders are
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (shop, order_id, address),
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);

-- The beginning of what a received mail says, for the list of mails to be filed.
ALTER TABLE inbound_mail ADD COLUMN excerpt text NOT NULL DEFAULT '';

-- migrate:down

ALTER TABLE inbound_mail DROP COLUMN excerpt;
DROP TABLE customer_address;
