-- migrate:up

-- To which address a mail's report returns: only the hash of the token in it, and the recipient the mail was handed
-- over for. A mail that is sent again has one more.
CREATE TABLE bounce_address (
    token_hash bytea PRIMARY KEY,
    mail_id uuid NOT NULL,
    recipient text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX bounce_address_by_mail ON bounce_address (mail_id);

-- migrate:down

DROP TABLE bounce_address;
