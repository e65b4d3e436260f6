-- migrate:up transaction:false

-- The list of mails that a person must file or set aside.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbound_mail_to_be_filed ON inbound_mail (shop, received_at DESC, inbound_id DESC)
    WHERE outcome IN ('to_file', 'parked') AND filed_at IS NULL;

-- migrate:down

DROP INDEX inbound_mail_to_be_filed;
