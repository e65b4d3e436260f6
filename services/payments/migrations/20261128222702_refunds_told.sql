-- migrate:up

-- Whether the customer is to be told of a refund, and in which words; both are passed on to whoever writes the mail.
ALTER TABLE refund
    ADD COLUMN notify_customer boolean NOT NULL DEFAULT false,
    ADD COLUMN public_comment text;

-- migrate:down

ALTER TABLE refund DROP COLUMN notify_customer, DROP COLUMN public_comment;
