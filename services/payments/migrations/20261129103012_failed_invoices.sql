-- migrate:up

-- Why an order's documents can't be issued: it is set aside, so that those of other orders go on.
ALTER TABLE sale ADD COLUMN failure text, ADD COLUMN failed_at timestamptz;
CREATE INDEX sale_failed ON sale (shop, failed_at) WHERE failure IS NOT NULL;

-- migrate:down

DROP INDEX sale_failed;
ALTER TABLE sale DROP COLUMN failed_at, DROP COLUMN failure;
