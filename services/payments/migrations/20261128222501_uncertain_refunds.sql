-- migrate:up

-- How often a refund's sending ended without anybody knowing whether it was made, and why the last time.
ALTER TABLE refund ADD COLUMN doubts integer NOT NULL DEFAULT 0, ADD COLUMN doubt text;

-- Those whose sending ended so, told to nobody: Stripe is asked whether it has them.
UPDATE msg.effect SET state = 'planned', next_at = now(), updated_at = now(), attempts = greatest(attempts, 1)
WHERE kind = 'refund' AND state = 'uncertain';

-- migrate:down
ALTER TABLE refund DROP COLUMN doubts, DROP COLUMN doubt;
