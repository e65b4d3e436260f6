-- migrate:up

-- When this database was seen last, by its own clock: a clock that jumped is known by it, and nothing goes at once.
CREATE TABLE msg.clock (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    seen_at timestamptz NOT NULL,
    doubted_until timestamptz
);

-- migrate:down

DROP TABLE msg.clock;
