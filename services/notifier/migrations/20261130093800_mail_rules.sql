-- migrate:up

-- Which of a shop's mails are sent: one row per change, never altered, so that a replay knows what was in force.
CREATE TABLE mail_rule (
    shop text NOT NULL,
    version integer NOT NULL,
    switches jsonb NOT NULL, -- by mail
    abandoned_after_minutes integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, version)
);

-- migrate:down

DROP TABLE mail_rule;
