-- migrate:up

-- What a provider reported of disputes: a set, of which a dispute's state is a function.
CREATE TABLE dispute_report (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    payment text NOT NULL,
    state text NOT NULL CHECK (state IN
        ('inquiry', 'closed', 'needs_response', 'under_review', 'accepted', 'lost', 'won')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    occurred_at timestamptz NOT NULL, -- the provider's clock
    reason text NOT NULL,
    due_at timestamptz,
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE UNIQUE INDEX dispute_report_once ON dispute_report
    (shop, order_id, provider, object_id, payment, state, amount_minor, occurred_at, reason,
     coalesce(due_at, '-infinity'));
CREATE TRIGGER dispute_report_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dispute_report
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Money of disputes that a provider withdrew or gave back, by its balance transaction.
CREATE TABLE dispute_movement (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    dispute text NOT NULL,
    payment text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('withdrawn', 'reinstated')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0), -- in the account's currency
    fee_minor bigint NOT NULL,                              -- in the currency in which the provider settles
    fee_currency text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (shop, provider, object_id),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE INDEX dispute_movement_by_order ON dispute_movement (shop, order_id);
CREATE TRIGGER dispute_movement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dispute_movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Deadlines that were about to pass unanswered.
CREATE TABLE dispute_alarm (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (shop, order_id, provider, object_id, due_at),
    FOREIGN KEY (shop, order_id) REFERENCES account
);

-- Disputes as they were published last, and what a person decided on a lost one, which never changes.
CREATE TABLE dispute (
    shop text NOT NULL,
    provider text NOT NULL,
    object_id text NOT NULL,
    order_id uuid NOT NULL,
    state text NOT NULL,
    due_at timestamptz,
    is_due_soon boolean NOT NULL,
    held_minor bigint NOT NULL, -- withdrawn less reinstated
    resolution text CHECK (resolution IN ('written_off', 'made_due')),
    command_id uuid,
    resolved_by text,
    resolved_at timestamptz,
    note text,
    PRIMARY KEY (shop, provider, object_id),
    FOREIGN KEY (shop, order_id) REFERENCES account,
    CONSTRAINT decision_is_whole CHECK
        ((resolution IS NULL) = (command_id IS NULL) AND (resolution IS NULL) = (resolved_by IS NULL))
);
CREATE INDEX dispute_by_order ON dispute (shop, order_id);

-- How many rows of these tables the account's version counts; 0 spares reading them.
ALTER TABLE account ADD COLUMN dispute_facts integer NOT NULL DEFAULT 0;

-- Disputes were remarks before, and are as long as the version before runs beside this one: those rows are read as
-- reports, and no new ones are written.
CREATE INDEX remark_of_dispute ON remark (shop, order_id) WHERE topic = 'dispute';

-- migrate:down

DROP INDEX remark_of_dispute;
ALTER TABLE account DROP COLUMN dispute_facts;
DROP TABLE dispute;
DROP TABLE dispute_alarm;
DROP TABLE dispute_movement;
DROP TABLE dispute_report;
