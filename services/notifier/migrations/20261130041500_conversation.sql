-- migrate:up

-- The conversation about an order. There is no row before its first message.
CREATE TABLE thread (
    shop     text NOT NULL,
    order_id uuid NOT NULL,
    version  integer NOT NULL,     -- grows with every change
    state    text NOT NULL CHECK (state IN ('waiting_staff', 'waiting_customer', 'closed')),
    unread   integer NOT NULL CHECK (unread >= 0),
    last_at  timestamptz NOT NULL, -- of the last message that was not automatic
    assignee text,
    excerpt  text NOT NULL,        -- of that message
    mail_ids text[] NOT NULL,      -- the last Message-IDs of the thread's mails, for References
    PRIMARY KEY (shop, order_id),
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);
CREATE INDEX thread_by_time ON thread (shop, last_at DESC, order_id DESC);
CREATE INDEX thread_by_state ON thread (shop, state, last_at DESC, order_id DESC);

-- Who may write to a thread by mail. The token of the reply address is kept as its SHA-256.
CREATE TABLE participant (
    token_hash bytea PRIMARY KEY,
    shop       text NOT NULL,
    order_id   uuid NOT NULL,
    role       text NOT NULL CHECK (role IN ('customer', 'staff')),
    address    text,               -- null: the order's customer, at the address that the order has now
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    FOREIGN KEY (shop, order_id) REFERENCES addressee
);
CREATE INDEX participant_by_order ON participant (shop, order_id);

-- Every mail that the receiver answered with 250, as it came. Outcome null: not read yet.
CREATE TABLE inbound_mail (
    inbound_id    uuid PRIMARY KEY,
    shop          text NOT NULL,
    received_at   timestamptz NOT NULL,
    envelope_from text NOT NULL,
    envelope_to   text NOT NULL,
    digest        bytea NOT NULL,  -- SHA-256 without the fields that every delivery adds
    size          integer NOT NULL,
    raw           bytea NOT NULL,
    order_id      uuid,            -- the thread it belongs to; before it is filed, the order of its reply address
    sender        text,            -- From, for the list
    subject       text,
    outcome       text CHECK (outcome IN ('posted', 'automatic', 'bounce', 'own', 'to_file', 'parked')),
    reason        text,
    ended_at      timestamptz,
    filed_by      text,            -- the person who filed it or set it aside
    filed_at      timestamptz,
    filed_reason  text,
    UNIQUE (envelope_to, digest)
);
CREATE INDEX inbound_mail_by_time ON inbound_mail (shop, received_at DESC, inbound_id DESC);
CREATE INDEX inbound_mail_by_outcome ON inbound_mail (shop, outcome, received_at DESC, inbound_id DESC);
CREATE INDEX inbound_mail_by_order ON inbound_mail (shop, order_id);
CREATE INDEX inbound_mail_by_sender ON inbound_mail (lower(sender), received_at);

CREATE TABLE message (
    shop         text NOT NULL,
    message_id   uuid NOT NULL,
    order_id     uuid NOT NULL,
    author_role  text NOT NULL CHECK (author_role IN ('customer', 'staff', 'other')),
    author       text NOT NULL,
    address      text,             -- of an author who is neither customer nor staff
    via          text NOT NULL CHECK (via IN ('mail', 'page', 'backoffice')),
    posted_at    timestamptz NOT NULL,
    sent_at      timestamptz,      -- the mail's own Date
    subject      text,             -- of a mail, where it differs from ours
    segments     jsonb NOT NULL,   -- [{"kind": "shown" | "folded" | "quote", "text": …}]: together the whole text
    is_automatic boolean NOT NULL,
    verified     text NOT NULL CHECK (verified IN ('dmarc', 'none')),
    inbound_id   uuid REFERENCES inbound_mail ON DELETE CASCADE,
    PRIMARY KEY (shop, message_id),
    UNIQUE (inbound_id),
    FOREIGN KEY (shop, order_id) REFERENCES thread ON DELETE CASCADE
);
CREATE INDEX message_by_order ON message (shop, order_id, posted_at, message_id);

CREATE TABLE attachment (
    attachment_id uuid PRIMARY KEY,
    inbound_id    uuid NOT NULL REFERENCES inbound_mail ON DELETE CASCADE,
    number        integer NOT NULL,
    shop          text NOT NULL,
    name          text NOT NULL,
    type          text NOT NULL,   -- by its first bytes, never the sender's word
    size          integer NOT NULL,
    sha256        bytea NOT NULL,  -- a small picture that the thread had before is folded
    state         text NOT NULL CHECK (state IN ('kept', 'omitted', 'blocked', 'folded')),
    content       bytea,           -- null: omitted
    UNIQUE (inbound_id, number)
);

-- migrate:down

DROP TABLE attachment;
DROP TABLE message;
DROP TABLE inbound_mail;
DROP TABLE participant;
DROP TABLE thread;
