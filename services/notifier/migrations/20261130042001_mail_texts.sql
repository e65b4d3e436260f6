-- migrate:up

-- What a shop wrote in place of a mail's built-in text, one row per change; text NULL: the built-in one again.
CREATE TABLE template_text (
    shop text NOT NULL,
    template text NOT NULL,
    locale text NOT NULL,
    part text NOT NULL,
    version integer NOT NULL,
    text text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, template, locale, part, version)
);

-- A shop's brand and support block, one row per change. A field that is absent is as COMPTOIR_SHOPS has it.
CREATE TABLE shop_profile (
    shop text NOT NULL,
    version integer NOT NULL,
    appearance jsonb NOT NULL,
    logo bytea,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, version)
);

-- Texts that could not be rendered at sending, of which the merchant was told once.
CREATE TABLE damaged_text (
    shop text NOT NULL,
    template text NOT NULL,
    locale text NOT NULL,
    part text NOT NULL,
    version integer NOT NULL,
    mail_id uuid NOT NULL,
    noted_at timestamptz NOT NULL,
    PRIMARY KEY (shop, template, locale, part, version)
);

-- The versions a mail was planned with: of its own texts by part, and of the shop's profile. Absent: built in.
ALTER TABLE mail ADD COLUMN versions jsonb NOT NULL DEFAULT '{}';

-- migrate:down
ALTER TABLE mail DROP COLUMN versions;
DROP TABLE damaged_text;
DROP TABLE shop_profile;
DROP TABLE template_text;
