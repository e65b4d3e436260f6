-- migrate:up

-- Whether documents were issued by the settings when that was last published; null: by an earlier version, which did
-- not say. `missing` holds what was missing when they were stored, for processes of that version.
ALTER TABLE invoicing ADD COLUMN issues_announced boolean;

-- migrate:down

ALTER TABLE invoicing DROP COLUMN issues_announced;
