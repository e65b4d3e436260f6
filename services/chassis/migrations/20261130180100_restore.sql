-- migrate:up

-- Restores of this database from a backup. Versions that it gives out are above `version_floor`, so above any that was
-- given out between the backup and the restore. Until `finished_at` is set, nothing is executed outside.
CREATE TABLE msg.restore (
    id uuid PRIMARY KEY,
    backup_id uuid NOT NULL,
    taken_at timestamptz NOT NULL,
    restored_at timestamptz NOT NULL,
    version_floor bigint NOT NULL,
    finished_at timestamptz
);

-- migrate:down

DROP TABLE msg.restore;
