-- migrate:up

-- Orders whose customer's data was erased. A message about one of them that arrives later has the erasure repeated.
CREATE TABLE msg.erased (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (shop, order_id)
);
CREATE INDEX erased_by_erasure ON msg.erased (erasure_id);

-- migrate:down

DROP TABLE msg.erased;
