-- migrate:up

-- Reminders that are not emptied yet, and alarms about them: what retention looks for every hour.
CREATE INDEX mail_to_empty ON mail (created_at)
    WHERE template = 'checkout_abandoned' AND recipient <> ''
       OR template = 'sender_refused' AND order_id IS NULL AND context->>'diagnostic' <> '';

-- migrate:down

DROP INDEX mail_to_empty;
