-- migrate:up

-- A mail may also be withdrawn: it was not sent, since it is no longer needed. Those withdrawn before counted as failed.
ALTER TABLE mail_end DROP CONSTRAINT mail_end_state_check;
ALTER TABLE mail_end ADD CONSTRAINT mail_end_state_check CHECK (state IN ('bounced', 'suppressed', 'withdrawn')) NOT VALID;

-- Read from the failed effects, by `effect_in_trouble`: they are few among all mails.
WITH withdrawn AS (
    UPDATE msg.effect SET state = 'discarded'
    WHERE kind = 'mail' AND state = 'failed'
      AND detail IN ('the order was deleted', 'the order was placed', 'the reminder is too late')
    RETURNING key::uuid AS mail_id, detail, updated_at
)
INSERT INTO mail_end (mail_id, state, kind, at)
SELECT mail_id, 'withdrawn',
       CASE detail WHEN 'the order was deleted' THEN 'deleted' WHEN 'the order was placed' THEN 'placed' ELSE 'late' END,
       updated_at
FROM withdrawn
ON CONFLICT DO NOTHING;

-- migrate:down

UPDATE msg.effect SET state = 'failed'
WHERE kind = 'mail' AND state = 'discarded' AND key IN (SELECT mail_id::text FROM mail_end WHERE state = 'withdrawn');
DELETE FROM mail_end WHERE state = 'withdrawn';
ALTER TABLE mail_end DROP CONSTRAINT mail_end_state_check;
ALTER TABLE mail_end ADD CONSTRAINT mail_end_state_check CHECK (state IN ('bounced', 'suppressed'));
