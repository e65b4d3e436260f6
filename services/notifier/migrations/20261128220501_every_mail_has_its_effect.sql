-- migrate:up

-- Which mails an event has caused already; a replay of it writes no second one.
CREATE INDEX mail_by_cause ON mail (cause_id);

-- Mails that a replay wrote without an effect, so that nobody could send them: set aside, to be sent on a person's word.
INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at)
SELECT mail.id::text, 'mail', 'discarded', jsonb_build_object('template', mail.template), now(),
       'noted by a replay, which has no effects: whether it happened before is not known here', mail.created_at, now()
FROM mail WHERE NOT EXISTS (SELECT FROM msg.effect WHERE effect.key = mail.id::text);

-- The address a mail was sent again to: the order's address of then, which may have been corrected.
ALTER TABLE resend ADD COLUMN recipient text;
CREATE OR REPLACE VIEW mail_with_state AS
SELECT mail.*, effect.state, effect.attempts, effect.next_at, effect.detail, effect.updated_at,
       resend.recipient AS resent_to
FROM mail
LEFT JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail'
LEFT JOIN resend ON resend.mail_id = mail.id;

-- migrate:down
DROP VIEW mail_with_state;
CREATE VIEW mail_with_state AS
SELECT mail.*, effect.state, effect.attempts, effect.next_at, effect.detail, effect.updated_at
FROM mail
LEFT JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail';
ALTER TABLE resend DROP COLUMN recipient;
DROP INDEX mail_by_cause;
