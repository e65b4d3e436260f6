-- migrate:up

-- Steps of `migrate --after` that were applied: they may end what an older version needs, so a process ends at its
-- start when one is here that it does not know. Written by dbmate.
CREATE TABLE public.schema_migrations_after (version varchar NOT NULL PRIMARY KEY);

-- migrate:down

DROP TABLE public.schema_migrations_after;
