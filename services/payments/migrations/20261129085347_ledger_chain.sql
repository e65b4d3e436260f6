-- migrate:up

-- Each entry's hash covers its content and the hash of the account's entry before it. Entries of earlier versions are
-- chained in steps once the service runs (closings/chaining.py): until then theirs is NULL.
ALTER TABLE ledger_entry ADD COLUMN hash bytea CHECK (length(hash) = 32);
CREATE INDEX ledger_entry_unchained ON ledger_entry (shop, order_id) WHERE hash IS NULL;

-- The table stays append-only: the only change that is let through fills in a missing hash.
CREATE FUNCTION refuse_change_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.hash IS NULL AND NEW.hash IS NOT NULL
        AND to_jsonb(OLD) - 'hash' IS NOT DISTINCT FROM to_jsonb(NEW) - 'hash' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'UPDATE on ledger_entry is refused: it is append-only; post a counter-entry instead'
        USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER ledger_entry_is_append_only ON ledger_entry;
CREATE TRIGGER ledger_entry_is_append_only BEFORE DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_entry();

-- One row per shop and UTC day: what was recorded on it, and a hash over the heads of the accounts it touched, chained
-- to the closing of the day before. `totals` is a JSON list of currency, kind, entries and amount_minor.
CREATE TABLE ledger_closing (
    shop text NOT NULL,
    day date NOT NULL,
    accounts bigint NOT NULL,
    entries bigint NOT NULL,
    totals json NOT NULL,
    heads bytea NOT NULL CHECK (length(heads) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, day)
);
CREATE TRIGGER ledger_closing_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_closing
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down

DROP TABLE ledger_closing;
DROP TRIGGER ledger_entry_is_never_changed ON ledger_entry;
DROP TRIGGER ledger_entry_is_append_only ON ledger_entry;
CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_of_entry();
DROP INDEX ledger_entry_unchained;
ALTER TABLE ledger_entry DROP COLUMN hash;
