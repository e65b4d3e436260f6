-- migrate:up

-- The key of the hashes that stand for suppressed addresses of erased customers: such an address stays suppressed, and
-- nobody can read it.
CREATE TABLE address_key (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    key bytea NOT NULL
);
INSERT INTO address_key (key) SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());

CREATE FUNCTION hidden_address(shop text, address text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'erased:' || encode(sha256(key || convert_to(shop || '/' || address, 'UTF8')), 'hex') FROM address_key
$$;

-- migrate:down

DROP FUNCTION hidden_address(text, text);
DROP TABLE address_key;
