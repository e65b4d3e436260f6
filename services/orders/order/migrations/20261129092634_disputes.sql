-- migrate:up

-- Copy of payments' disputes: each as the highest version that was received.
CREATE TABLE dispute (
    shop               text NOT NULL,
    provider           text NOT NULL,
    provider_reference text NOT NULL,
    order_id           uuid NOT NULL,
    version            integer NOT NULL,
    state              text NOT NULL,
    amount_minor       bigint NOT NULL,
    currency           text NOT NULL,
    withdrawn_minor    bigint NOT NULL,
    reinstated_minor   bigint NOT NULL,
    fees               jsonb NOT NULL,
    payment_reference  text NOT NULL,
    payment_entry_id   uuid NOT NULL,
    reason             text,
    due_at             timestamptz,
    is_due_soon        boolean NOT NULL,
    opened_at          timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    resolution         text,
    resolved_by        text,
    resolved_at        timestamptz,
    note               text,
    PRIMARY KEY (shop, provider, provider_reference)
);
CREATE INDEX dispute_by_order ON dispute (shop, order_id);
CREATE INDEX dispute_by_opening ON dispute (shop, opened_at DESC);

-- migrate:down

DROP TABLE dispute;
