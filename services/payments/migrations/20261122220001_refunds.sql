-- migrate:up

-- Refunds a person asked for. What was asked never changes; `reference`, `sent` and `refusal` are filled in once.
CREATE TABLE refund (
    shop text NOT NULL,
    refund_id uuid NOT NULL,
    order_id uuid NOT NULL,
    command_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode IN ('recorded', 'sent')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    provider text,        -- of the payment that is refunded; null with payment_object: of no particular one
    payment_object text,
    cause text NOT NULL CHECK (cause IN ('credit', 'payment_undone', 'overpaid')),
    reason text,
    lines jsonb NOT NULL,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    reference text,       -- the merchant's, which confirms a recorded refund
    confirmed_by text,
    is_sent boolean NOT NULL,
    refusal text,         -- the provider's words
    PRIMARY KEY (shop, refund_id),
    FOREIGN KEY (shop, order_id) REFERENCES account,
    CONSTRAINT payment_is_whole CHECK ((provider IS NULL) = (payment_object IS NULL)),
    CONSTRAINT reference_has_its_author CHECK ((reference IS NULL) = (confirmed_by IS NULL)),
    CONSTRAINT sent_or_recorded CHECK (mode = 'sent' OR (NOT is_sent AND refusal IS NULL))
);
CREATE INDEX refund_by_order ON refund (shop, order_id);

-- Refunds as the provider has them. `states` is the set of states it ever told, so that their sequence is no matter.
CREATE TABLE provider_refund (
    shop text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    order_id uuid NOT NULL,
    payment_object text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    made_at timestamptz NOT NULL,
    states text[] NOT NULL,
    refund_id uuid,       -- ours, as the provider's object names it
    is_duplicate boolean NOT NULL,
    detail text,
    PRIMARY KEY (shop, provider, object_id),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE INDEX provider_refund_by_order ON provider_refund (shop, order_id);

-- How many facts of these two tables the account's version counts; 0 spares reading them.
ALTER TABLE account ADD COLUMN refund_facts integer NOT NULL DEFAULT 0;

-- Which payment an entry refunds, reverses or moves: `<provider>:<object>`; null for the payment itself.
ALTER TABLE ledger_entry ADD COLUMN payment text;
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_source_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_source_check
    CHECK (source IN ('order', 'webhook', 'answer', 'manual'));
CREATE INDEX ledger_entry_by_recording ON ledger_entry (shop, recorded_at DESC, id DESC);

-- The order that has the money now, when a person gave it to another than the one it was received for.
ALTER TABLE provider_object ADD COLUMN moved_to uuid;

-- The payment that a waiting or parked webhook is about, and the money it tells of.
ALTER TABLE webhook ADD COLUMN object_id text, ADD COLUMN amount_minor bigint, ADD COLUMN currency text;
CREATE INDEX webhook_unmatched ON webhook (shop, id)
    WHERE state IN ('waiting', 'parked') AND object_id IS NOT NULL;

-- migrate:down
DROP INDEX webhook_unmatched;
ALTER TABLE webhook DROP COLUMN object_id, DROP COLUMN amount_minor, DROP COLUMN currency;
ALTER TABLE provider_object DROP COLUMN moved_to;
DROP INDEX ledger_entry_by_recording;
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_source_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_source_check CHECK (source IN ('order', 'webhook', 'manual'));
ALTER TABLE ledger_entry DROP COLUMN payment;
ALTER TABLE account DROP COLUMN refund_facts;
DROP TABLE provider_refund;
DROP TABLE refund;
