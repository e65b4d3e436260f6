-- migrate:up

-- When the customer asked on the order's page to cancel it, while nobody has answered. What was asked and answered is
-- in the activity: cancellation_requested, cancellation_declined, cancellation_too_late.
ALTER TABLE orders ADD COLUMN cancellation_requested_at timestamptz;

-- migrate:down

ALTER TABLE orders DROP COLUMN cancellation_requested_at;
