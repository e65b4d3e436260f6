-- migrate:up

-- From when a shop's orders are invoiced; null: not published by earlier versions. `stated_at`: of two events about one
-- version of the settings the later one counts.
ALTER TABLE shop_invoicing ADD COLUMN since timestamptz, ADD COLUMN stated_at timestamptz;

-- migrate:down

ALTER TABLE shop_invoicing DROP COLUMN since, DROP COLUMN stated_at;
