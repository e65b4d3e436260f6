-- migrate:up

-- One account per order: what locks, and a copy of the position that the ledger and the attempts give.
CREATE TABLE account (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    code text NOT NULL,
    currency text NOT NULL,
    method text NOT NULL,
    opened_at timestamptz NOT NULL, -- when the order was placed
    version bigint NOT NULL,        -- rows in ledger_entry and attempt: grows with every fact, whatever the batches
    sequence bigint NOT NULL,       -- events about this account so far
    due_minor bigint NOT NULL,
    credited_minor bigint NOT NULL,
    received_minor bigint NOT NULL,
    received_by_hand_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    marked_minor bigint NOT NULL,
    disputed_minor bigint NOT NULL,
    authorised_minor bigint NOT NULL,
    balance_minor bigint NOT NULL,
    attempt text NOT NULL,
    flags text[] NOT NULL,
    PRIMARY KEY (shop, order_id),
    CONSTRAINT account_balances CHECK
        (balance_minor = due_minor - credited_minor - received_minor + refunded_minor + marked_minor)
) WITH (fillfactor = 70);

-- Append-only. (shop, provider, object, kind, step) names one piece of money once; for rows entered by a person the
-- provider is `manual` and the object is the command's id, for what the order itself causes it is `order`.
CREATE TABLE ledger_entry (
    id uuid PRIMARY KEY, -- made from the unique key below, so that it is the same whoever posts it
    shop text NOT NULL,
    order_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1), -- from 1 without holes within the account
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    step integer NOT NULL CHECK (step >= 0), -- later parts of a sum that grew: the next capture of one payment
    method text,
    source text NOT NULL CHECK (source IN ('order', 'webhook', 'manual')),
    caused_by uuid NOT NULL, -- the event, the command or the webhook
    occurred_at timestamptz NOT NULL,
    received_on date,
    clearing_on date,
    reference text,
    note text,
    actor text NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (shop, provider, object_id, kind, step),
    UNIQUE (shop, order_id, number),
    FOREIGN KEY (shop, order_id) REFERENCES account,
    CONSTRAINT ledger_entry_kind CHECK (kind IN (
        'order_total', 'due_increased', 'credit_granted', 'credit_reversed', 'payment_received', 'payment_reversed',
        'refund_paid', 'refund_failed', 'refund_marked', 'refund_mark_reversed', 'transfer_in', 'transfer_out',
        'disputed', 'dispute_won', 'dispute_lost', 'authorised', 'authorisation_released', 'pending', 'fee')),
    CONSTRAINT ledger_entry_amount CHECK (amount_minor > 0 OR (amount_minor = 0 AND kind = 'order_total'))
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: it is append-only; post a counter-entry instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a provider said of a payment attempt. A set: the attempt's state is a function of it. Two objects may say the
-- same of one payment in the same second (a checkout session and its intent), each with its own beginning.
CREATE TABLE attempt (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    state text NOT NULL,
    occurred_at timestamptz NOT NULL, -- the provider's clock
    started_at timestamptz NOT NULL,  -- when the provider made the object
    PRIMARY KEY (shop, order_id, provider, object_id, state, occurred_at, started_at),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE TRIGGER attempt_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attempt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which order a provider's object (payment intent, session, charge) belongs to.
CREATE TABLE provider_object (
    shop text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (shop, provider, object_id),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE INDEX provider_object_by_order ON provider_object (shop, order_id);

-- What providers posted, as it came. `deliveries` counts how often the same event was posted; all but the first are
-- duplicates, and so is a row whose state says that another event had already brought the same facts.
CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    endpoint text NOT NULL,
    shop text NOT NULL,
    event_id text NOT NULL,
    event_type text NOT NULL,
    body bytea NOT NULL,
    headers jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    deliveries integer NOT NULL DEFAULT 1 CHECK (deliveries >= 1),
    state text NOT NULL CHECK (state IN ('received', 'applied', 'duplicate', 'irrelevant', 'waiting', 'parked')),
    reason text,
    detail text,
    order_id uuid,
    handled_at timestamptz,
    UNIQUE (provider, endpoint, event_id),
    CHECK (state NOT IN ('irrelevant', 'waiting', 'parked') OR reason IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX webhook_to_apply ON webhook (id) WHERE state = 'received';
CREATE INDEX webhook_by_state ON webhook (state, id) WHERE state IN ('waiting', 'parked');
CREATE INDEX webhook_by_order ON webhook (shop, order_id) WHERE order_id IS NOT NULL;

-- What would let a webhook be applied: `order:<id>` or `<provider>:<object>`. Whoever creates that wakes it.
CREATE TABLE webhook_wait (
    shop text NOT NULL,
    key text NOT NULL,
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    PRIMARY KEY (shop, key, webhook_id)
);
CREATE INDEX webhook_wait_by_webhook ON webhook_wait (webhook_id);

-- Every posted webhook ends in exactly one column; received is their sum.
CREATE VIEW webhook_tally AS
SELECT provider, endpoint,
       sum(deliveries) AS received,
       count(*) FILTER (WHERE state = 'received') AS unread,
       count(*) FILTER (WHERE state = 'applied') AS applied,
       sum(deliveries - 1) + count(*) FILTER (WHERE state = 'duplicate') AS duplicate,
       count(*) FILTER (WHERE state = 'irrelevant') AS irrelevant,
       count(*) FILTER (WHERE state = 'waiting') AS waiting,
       count(*) FILTER (WHERE state = 'parked') AS parked
FROM webhook GROUP BY provider, endpoint;

-- Posts that were turned away unread, counted by the hour: forged, too large, of another kind. Never their content.
CREATE TABLE webhook_refused (
    endpoint text NOT NULL,
    reason text NOT NULL,
    hour_at timestamptz NOT NULL,
    posts bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (endpoint, reason, hour_at)
);

-- migrate:down
DROP TABLE webhook_refused;
DROP VIEW webhook_tally;
DROP TABLE webhook_wait;
DROP TABLE webhook;
DROP TABLE provider_object;
DROP TABLE attempt;
DROP TABLE ledger_entry;
DROP FUNCTION refuse_change();
DROP TABLE account;
