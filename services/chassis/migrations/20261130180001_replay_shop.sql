-- migrate:up

-- The shop whose messages were sent again; none: those of all shops, as an operator of the whole hub asks.
ALTER TABLE msg.replay ADD COLUMN shop text;

-- migrate:down
ALTER TABLE msg.replay DROP COLUMN shop;
