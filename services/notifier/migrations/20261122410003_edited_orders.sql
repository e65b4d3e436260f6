-- migrate:up

-- What an order's latest edit made of it; `placed` stays, since the recap stands as the invoice. The highest revision counts.
ALTER TABLE addressee ADD COLUMN revision integer NOT NULL DEFAULT 0;
ALTER TABLE addressee ADD COLUMN edited jsonb;

-- migrate:down
ALTER TABLE addressee DROP COLUMN edited;
ALTER TABLE addressee DROP COLUMN revision;
