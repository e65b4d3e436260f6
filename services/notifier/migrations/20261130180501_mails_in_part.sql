-- migrate:up

-- Whether all of a received mail was within the bounds of parsing.
ALTER TABLE inbound_mail ADD COLUMN is_whole boolean NOT NULL DEFAULT true;

-- migrate:down

ALTER TABLE inbound_mail DROP COLUMN is_whole;
