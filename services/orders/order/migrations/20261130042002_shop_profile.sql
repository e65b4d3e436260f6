-- migrate:up

-- The notifier's data on how a shop presents itself, as pages and papers show it; the highest version counts. NULL: as
-- COMPTOIR_SHOPS has it; empty: none.
CREATE TABLE shop_profile (
    shop text PRIMARY KEY,
    version integer NOT NULL,
    support_email text,
    support_phone text,
    opening_hours text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- migrate:down

DROP TABLE shop_profile;
