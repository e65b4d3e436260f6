-- migrate:up

-- A mail may also be withdrawn: it was not sent, since it is no longer needed. Those withdrawn before counted as failed;
-- they are found by `mail_in_trouble`, which has only mails of orders.
ALTER TABLE mail DROP CONSTRAINT mail_state_check;
ALTER TABLE mail ADD CONSTRAINT mail_state_check
    CHECK (state IN ('uncertain', 'failed', 'sent', 'bounced', 'suppressed', 'withdrawn')) NOT VALID;
UPDATE mail SET state = 'withdrawn'
WHERE state = 'failed' AND order_id IS NOT NULL
  AND detail IN ('the order was deleted', 'the order was placed', 'the reminder is too late');

-- migrate:down

UPDATE mail SET state = 'failed' WHERE state = 'withdrawn' AND order_id IS NOT NULL;
ALTER TABLE mail DROP CONSTRAINT mail_state_check;
ALTER TABLE mail ADD CONSTRAINT mail_state_check
    CHECK (state IN ('uncertain', 'failed', 'sent', 'bounced', 'suppressed')) NOT VALID;
