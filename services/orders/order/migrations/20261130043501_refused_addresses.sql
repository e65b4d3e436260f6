-- migrate:up

-- Whether mails reach the customer: the address that was refused last, and when one was freed again last.
ALTER TABLE orders ADD COLUMN refused_address text;
ALTER TABLE orders ADD COLUMN address_refused_at timestamptz;
ALTER TABLE orders ADD COLUMN address_freed_at timestamptz;

-- A mail may also have come back, or been held since its address is refused.
ALTER TABLE mail DROP CONSTRAINT mail_state_check;
ALTER TABLE mail ADD CONSTRAINT mail_state_check
    CHECK (state IN ('uncertain', 'failed', 'sent', 'bounced', 'suppressed')) NOT VALID;

-- migrate:down

UPDATE mail SET state = 'failed' WHERE state IN ('bounced', 'suppressed');
ALTER TABLE mail DROP CONSTRAINT mail_state_check;
ALTER TABLE mail ADD CONSTRAINT mail_state_check CHECK (state IN ('uncertain', 'failed', 'sent'));

ALTER TABLE orders DROP COLUMN address_freed_at;
ALTER TABLE orders DROP COLUMN address_refused_at;
ALTER TABLE orders DROP COLUMN refused_address;
