-- migrate:up

-- Copy of the notifier's threads: each in its highest version. The last message is that of `message_version`.
CREATE TABLE thread (
    shop            text NOT NULL,
    order_id        uuid NOT NULL,
    version         integer NOT NULL,
    state           text NOT NULL,
    unread          integer NOT NULL,
    last_at         timestamptz NOT NULL,
    assignee        text,
    message_version integer NOT NULL DEFAULT 0,
    last_role       text,
    last_author     text,
    excerpt         text,
    PRIMARY KEY (shop, order_id)
);
CREATE INDEX thread_by_time ON thread (shop, last_at DESC, order_id DESC);
CREATE INDEX thread_by_state ON thread (shop, state, last_at DESC, order_id DESC);

-- Where each received mail ended, and whether a person filed it since or set it aside. Its text stays with the notifier.
CREATE TABLE received_mail (
    shop        text NOT NULL,
    inbound_id  uuid NOT NULL,
    order_id    uuid,
    outcome     text,        -- null: only the filing is known yet
    reason      text,
    received_at timestamptz,
    filed_at    timestamptz,
    filed_by    text,
    PRIMARY KEY (shop, inbound_id)
);
CREATE INDEX received_mail_by_order ON received_mail (shop, order_id);
CREATE INDEX received_mail_to_file ON received_mail (shop, received_at)
    WHERE outcome IN ('to_file', 'parked') AND filed_at IS NULL;

-- migrate:down

DROP TABLE received_mail;
DROP TABLE thread;
