-- migrate:up

-- What an order's mails need to know of it, kept from OrderPlaced: later events name the order only.
CREATE TABLE addressee (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    locale text NOT NULL,
    thread_mail_id uuid NOT NULL, -- the customer's recap, which later mails of the order answer
    placed jsonb NOT NULL,        -- OrderPlaced as it came
    PRIMARY KEY (shop, order_id)
);

-- One mail per cause, recipient and template. Whether it went is the state of the effect with the same key.
CREATE TABLE mail (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    order_id uuid NOT NULL,
    code text NOT NULL,
    cause_id uuid NOT NULL,
    template text NOT NULL,
    recipient text NOT NULL,
    locale text NOT NULL,
    message_id text NOT NULL,
    context jsonb NOT NULL, -- what this mail says beyond the order itself
    created_at timestamptz NOT NULL,
    UNIQUE (shop, cause_id, recipient, template),
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);
CREATE INDEX mail_by_order ON mail (shop, order_id);
CREATE INDEX mail_by_age ON mail (created_at, id);

CREATE VIEW mail_with_state AS
SELECT mail.*, effect.state, effect.attempts, effect.next_at, effect.detail, effect.updated_at
FROM mail
LEFT JOIN msg.effect ON effect.key = mail.id::text AND effect.kind = 'mail';

-- migrate:down
DROP VIEW mail_with_state;
DROP TABLE mail;
DROP TABLE addressee;
