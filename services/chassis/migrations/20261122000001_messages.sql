-- migrate:up
CREATE SCHEMA msg;

-- What this service said. Written once, never changed; one partition a day by the time inside the UUIDv7.
CREATE TABLE msg.event_log (
    id uuid NOT NULL,
    type text NOT NULL,
    time timestamptz NOT NULL,
    shop text,
    subject text,
    sequence bigint,
    correlation_id text,
    causation_id uuid,
    traceparent text,
    body bytea NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX event_log_subject ON msg.event_log (shop, subject, sequence);

-- What still has to leave: narrow, deleted on the broker's confirm. `id` is the AMQP message_id.
CREATE TABLE msg.dispatch (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    mandatory boolean NOT NULL,
    owner uuid NOT NULL,
    lease_until timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

-- What this service has seen. A message is known by who said it and its id.
CREATE TABLE msg.inbox (
    event_id uuid NOT NULL,
    source text NOT NULL,
    consumer text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (event_id, source, consumer)
) PARTITION BY RANGE (event_id);

-- What could not be handled yet (waiting) or at all (dead), and what a person did about it (resolved, discarded).
CREATE TABLE msg.parked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe_key text NOT NULL UNIQUE,
    queue text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'dead', 'resolved', 'discarded')),
    reason text NOT NULL,
    detail text NOT NULL,
    fingerprint text NOT NULL,
    wait_key text,
    event_id uuid,
    source text,
    type text,
    shop text,
    subject text,
    user_id text,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    remembered boolean NOT NULL,
    next_at timestamptz,
    give_up_at timestamptz,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    actor text,
    note text
);
CREATE INDEX parked_due ON msg.parked (next_at) WHERE state = 'waiting';
CREATE INDEX parked_wait_key ON msg.parked (wait_key) WHERE state = 'waiting';
CREATE INDEX parked_fingerprint ON msg.parked (fingerprint) WHERE state = 'dead';

-- External effects (mails, provider calls): committed as in_flight before the call.
CREATE TABLE msg.effect (
    key text PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'in_flight', 'done', 'failed', 'uncertain', 'discarded')),
    payload jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL,
    owner uuid,
    lease_until timestamptz,
    detail text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX effect_due ON msg.effect (kind, next_at) WHERE state = 'planned';
CREATE INDEX effect_in_flight ON msg.effect (kind, lease_until) WHERE state = 'in_flight';

CREATE TABLE msg.timer (
    kind text NOT NULL,
    key text NOT NULL,
    due_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX timer_due ON msg.timer (due_at);

-- migrate:down
DROP SCHEMA msg CASCADE;
