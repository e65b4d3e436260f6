-- migrate:up

-- Endpoints of payment providers that were set in the back office, beside those of the settings.
CREATE TABLE provider_endpoint (
    slug text PRIMARY KEY,
    provider text NOT NULL,
    shop text NOT NULL,
    is_live boolean NOT NULL,
    texts jsonb NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);

-- Their secrets, encrypted with a key that is not in the database. ends_in: so many of the last characters as may be shown.
CREATE TABLE provider_secret (
    id uuid PRIMARY KEY,
    slug text NOT NULL REFERENCES provider_endpoint ON DELETE CASCADE,
    name text NOT NULL,
    sealed bytea NOT NULL,
    ends_in text NOT NULL CHECK (length(ends_in) <= 4),
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    expires_at timestamptz
);
CREATE INDEX provider_secret_by_slug ON provider_secret (slug);

-- migrate:down
DROP TABLE provider_secret;
DROP TABLE provider_endpoint;
