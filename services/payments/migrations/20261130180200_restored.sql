-- migrate:up

-- An account's version is this floor and the number of its facts. Restoring a backup raises it, so that listeners, which
-- may know versions from after the backup, take the restored state for newer.
ALTER TABLE account ADD COLUMN version_floor bigint NOT NULL DEFAULT 0;

-- Numbers of a series that no document here has, and why: documents that were issued after the backup that was restored.
CREATE TABLE invoice_gap (
    shop text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year integer NOT NULL,
    first integer NOT NULL CHECK (first >= 1),
    last integer NOT NULL CHECK (last >= first),
    reason text NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (shop, kind, year, first)
);

-- migrate:down

DROP TABLE invoice_gap;
ALTER TABLE account DROP COLUMN version_floor;
