-- migrate:up

-- A refund that no single payment covers is made in parts: the first has the id a person's command gave, the
-- further ones name it.
ALTER TABLE refund ADD COLUMN part_of uuid;

-- migrate:down

ALTER TABLE refund DROP COLUMN part_of;
