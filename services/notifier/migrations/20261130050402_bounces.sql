-- migrate:up

-- What reports and refusals say about mails: one fact per row, never changed. `address` is in the form in which
-- addresses are compared; it and `diagnostic` are emptied with their order.
CREATE TABLE bounce (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    mail_id uuid NOT NULL,
    address text NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('delayed', 'receipt', 'address', 'full', 'too_big', 'reputation', 'other', 'complaint')),
    action text NOT NULL,
    status text,
    diagnostic text NOT NULL,
    reporting_mta text,
    inbound_id uuid, -- the report; null for a refusal by our own mail server
    at timestamptz NOT NULL
);
CREATE INDEX bounce_by_mail ON bounce (mail_id);
CREATE INDEX bounce_by_address ON bounce (shop, address, at);

-- Addresses that get no mail of a shop. A lifted one stays, with who lifted it and why.
CREATE TABLE suppression (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    address text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('address', 'full', 'complaint', 'manual')),
    since timestamptz NOT NULL,
    until timestamptz,
    bounce_id uuid,
    actor text,
    reason text,
    lifted_at timestamptz,
    lifted_by text,
    lift_reason text
);
CREATE UNIQUE INDEX suppression_open ON suppression (shop, address, kind) WHERE lifted_at IS NULL;
CREATE INDEX suppression_by_time ON suppression (shop, since, id);

-- The end of a mail where it is not its effect's: it came back, or was held. Sent again, it has none.
CREATE TABLE mail_end (
    mail_id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('bounced', 'suppressed')),
    kind text NOT NULL,
    bounce_id uuid,
    at timestamptz NOT NULL
);
CREATE INDEX mail_end_by_state ON mail_end (state, at);

-- Faults of the sender's reputation: one alarm per shop while they follow one another within a day.
CREATE TABLE reputation_alarm (
    shop text PRIMARY KEY,
    since timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    faults integer NOT NULL,
    bounce_id uuid NOT NULL
);

CREATE INDEX addressee_by_email ON addressee (shop, lower(email));

CREATE OR REPLACE VIEW mail_with_state AS
SELECT mail.id, mail.shop, mail.order_id, mail.code, mail.cause_id, mail.template, mail.recipient, mail.locale,
       mail.message_id, mail.context, mail.created_at,
       coalesce(mail_end.state, effect.state) AS state, effect.attempts, effect.next_at, effect.detail,
       effect.updated_at, resend.recipient AS resent_to, effect.state AS effect_state,
       mail_end.state AS end_state, mail_end.kind AS end_kind, mail_end.at AS end_at, bounce.status AS end_status,
       bounce.diagnostic AS end_diagnostic
FROM mail
LEFT JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail'
LEFT JOIN resend ON resend.mail_id = mail.id
LEFT JOIN mail_end ON mail_end.mail_id = mail.id
LEFT JOIN bounce ON bounce.id = mail_end.bounce_id;

-- migrate:down

DROP VIEW mail_with_state;
CREATE VIEW mail_with_state AS
SELECT mail.*, effect.state, effect.attempts, effect.next_at, effect.detail, effect.updated_at,
       resend.recipient AS resent_to
FROM mail
LEFT JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail'
LEFT JOIN resend ON resend.mail_id = mail.id;
DROP INDEX addressee_by_email;
DROP TABLE reputation_alarm;
DROP TABLE mail_end;
DROP TABLE suppression;
DROP TABLE bounce;
