-- migrate:up

-- What a provider or an order said of an account that moves no money in these books: disputes, refunds told as a sum,
-- a payment that another order has. A set, like attempts: the flags are a function of it.
CREATE TABLE remark (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    topic text NOT NULL CHECK (topic IN ('dispute', 'refunded_sum', 'partly_funded', 'payment_shared')),
    provider text NOT NULL,
    object_id text NOT NULL, -- the dispute, the charge, the payment
    payment text NOT NULL,   -- the provider's payment
    state text NOT NULL,     -- of a dispute as the provider calls it; empty for the others
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    occurred_at timestamptz NOT NULL, -- the provider's clock
    PRIMARY KEY (shop, order_id, topic, provider, object_id, payment, state, amount_minor, occurred_at),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE TRIGGER remark_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON remark
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How many rows of that table the account's version counts; 0 spares reading them.
ALTER TABLE account ADD COLUMN remarks integer NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE account DROP COLUMN remarks;
DROP TABLE remark;
