-- migrate:up

-- From how few available units on, at all locations together, the merchant is warned about a SKU.
CREATE TABLE stock_threshold (
    shop text NOT NULL,
    sku text NOT NULL,
    threshold integer NOT NULL CHECK (threshold >= 0),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, sku)
);

-- migrate:down

DROP TABLE stock_threshold;
