-- migrate:up

-- How a webhook came in: posted by the provider, or found in the provider's own list.
ALTER TABLE webhook ADD COLUMN source text NOT NULL DEFAULT 'push' CHECK (source IN ('push', 'reconcile'));
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_source_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_source_check
    CHECK (source IN ('order', 'webhook', 'answer', 'manual', 'reconcile')) NOT VALID;

-- One row per endpoint and list: how far it was compared, and how the latest run went or goes.
CREATE TABLE reconcile_run (
    provider text NOT NULL,
    endpoint text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('events', 'money', 'payouts')),
    shop text NOT NULL,
    reached_at timestamptz NOT NULL, -- everything before was compared
    asked_at timestamptz,            -- when a person last asked for a run
    asked_by text,
    started_at timestamptz,
    ended_at timestamptz,
    lease_until timestamptz,         -- a run that does not move on by then is taken over
    steps integer NOT NULL DEFAULT 0,
    steps_done integer NOT NULL DEFAULT 0,
    seen bigint NOT NULL DEFAULT 0,
    found bigint NOT NULL DEFAULT 0,
    error text,
    PRIMARY KEY (provider, endpoint, kind)
);

-- What the provider's list and the ledger do not have in common. `gone_at`: a later run found it no more.
CREATE TABLE reconcile_finding (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    provider text NOT NULL,
    endpoint text NOT NULL,
    side text NOT NULL CHECK (side IN ('theirs', 'ours', 'differs')),
    kind text NOT NULL CHECK (kind IN ('payment', 'refund', 'dispute', 'payout')),
    object_id text NOT NULL,
    order_id uuid,
    theirs_minor bigint,
    ours_minor bigint,
    currency text NOT NULL,
    occurred_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    gone_at timestamptz,
    resolved_at timestamptz,
    resolved_by text,
    note text,
    UNIQUE (shop, provider, kind, object_id),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (note IS NULL))
);
CREATE INDEX reconcile_finding_of_shop ON reconcile_finding (shop, found_at DESC);
CREATE INDEX reconcile_finding_by_endpoint ON reconcile_finding (provider, endpoint, occurred_at);

-- Payouts of providers to the merchant's bank, as listed.
CREATE TABLE payout (
    shop text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    endpoint text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    created_at timestamptz NOT NULL,
    arrives_on date NOT NULL,
    sum_minor bigint,
    movements integer NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (shop, provider, object_id)
);
CREATE INDEX payout_of_shop ON payout (shop, created_at DESC);

-- What the ledger has of a provider in a time, by when it happened there.
CREATE INDEX ledger_entry_of_provider ON ledger_entry (shop, provider, occurred_at)
    WHERE kind IN ('payment_received', 'refund_paid', 'disputed', 'dispute_won');

-- migrate:down

DROP INDEX ledger_entry_of_provider;
DROP TABLE payout;
DROP TABLE reconcile_finding;
DROP TABLE reconcile_run;
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_source_check;
ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_source_check
    CHECK (source IN ('order', 'webhook', 'answer', 'manual'));
ALTER TABLE webhook DROP COLUMN source;
