-- migrate:up

INSERT INTO hears_since VALUES ('payments.refund.failed.v1', now()) ON CONFLICT DO NOTHING;

-- migrate:down

DELETE FROM hears_since WHERE type = 'payments.refund.failed.v1';
