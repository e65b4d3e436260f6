-- migrate:up

-- Links to customers' pages, one per mail and address. The token is not stored, only its hash. A link opens its order
-- while that has the address the mail went to; of a deleted order it has no address.
CREATE TABLE page_link (
    token_hash bytea PRIMARY KEY,
    shop text NOT NULL,
    order_id uuid NOT NULL,
    mail_id uuid NOT NULL REFERENCES mail,
    recipient text NOT NULL,
    made_at timestamptz NOT NULL,
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);
CREATE INDEX page_link_by_order ON page_link (shop, order_id);

-- migrate:down
DROP TABLE page_link;
