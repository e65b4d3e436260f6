-- migrate:up

-- What an operator has paused in this service: the handling of messages, the execution of effects, or both.
CREATE TABLE msg.pause (
    what text PRIMARY KEY CHECK (what IN ('messages', 'effects')),
    reason text NOT NULL,
    actor text NOT NULL,
    paused_at timestamptz NOT NULL
);

-- migrate:down

DROP TABLE msg.pause;
