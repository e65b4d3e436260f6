-- migrate:up

-- Of what people had said again: whether as what it is, commands and effects included, because its listener never
-- handled it.
ALTER TABLE msg.replay ADD COLUMN is_whole boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE msg.replay DROP COLUMN is_whole;
