-- migrate:up

-- Failed effects that a person has seen and that need nothing more: who said so, when and why. The next attempt of one
-- clears it.
ALTER TABLE msg.effect ADD COLUMN acknowledged_at timestamptz, ADD COLUMN acknowledged_by text,
    ADD COLUMN acknowledgement text;

-- migrate:down

ALTER TABLE msg.effect DROP COLUMN acknowledged_at, DROP COLUMN acknowledged_by, DROP COLUMN acknowledgement;
