-- migrate:up

-- What a shop's invoices say of it, and when they are issued. Settings that lack a compulsory mention are kept, and
-- nothing is issued meanwhile.
CREATE TABLE invoicing (
    shop text PRIMARY KEY,
    version integer NOT NULL CHECK (version >= 1),
    settings jsonb NOT NULL,
    missing text[] NOT NULL,
    is_on boolean NOT NULL,
    since timestamptz, -- orders placed earlier get no invoice by themselves
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- Logos by their SHA-256: issued invoices name the one they show.
CREATE TABLE invoice_logo (
    sha256 text PRIMARY KEY,
    content bytea NOT NULL
);

-- An order as its invoice will show it, until nothing of it is to be invoiced. `is_due`: the account changed since
-- the order was last looked at.
CREATE TABLE sale (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    placed_at timestamptz NOT NULL,
    content jsonb,                      -- null: erased with its order
    revision integer NOT NULL DEFAULT 0,
    edit jsonb,                         -- the content of the edit with this revision
    cancelled jsonb NOT NULL DEFAULT '{}', -- units that each cancellation named, by edit
    entries_seen integer NOT NULL DEFAULT 0, -- ledger entries that documents account for
    is_due boolean NOT NULL DEFAULT true,
    wish jsonb,                         -- a person asks for the invoice: command, reason, actor
    PRIMARY KEY (shop, order_id),
    FOREIGN KEY (shop, order_id) REFERENCES account
) WITH (fillfactor = 70);
CREATE INDEX sale_due ON sale (shop, order_id) WHERE is_due;

-- The last number of a series. Its row is locked until the documents that use its numbers are committed.
CREATE TABLE invoice_series (
    shop text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year integer NOT NULL,
    last integer NOT NULL CHECK (last >= 0),
    last_on date NOT NULL, -- a later number never has an earlier date
    PRIMARY KEY (shop, kind, year)
);

-- Issued documents: never changed, never deleted. `content` is the text whose SHA-256 is `digest`.
CREATE TABLE invoice (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    order_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year integer NOT NULL,
    position integer NOT NULL CHECK (position >= 1), -- in its series
    number text NOT NULL,
    corrects text,
    issued_on date NOT NULL,
    issued_at timestamptz NOT NULL,
    currency text NOT NULL,
    net_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL CHECK (total_minor = net_minor + tax_minor),
    content text NOT NULL,
    digest text NOT NULL,
    UNIQUE (shop, kind, year, position),
    UNIQUE (shop, number),
    FOREIGN KEY (shop, order_id) REFERENCES account
);
CREATE INDEX invoice_by_order ON invoice (shop, order_id);
CREATE INDEX invoice_by_day ON invoice (shop, issued_on, id);
CREATE TRIGGER invoice_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- PDFs, made from the content; they could be made again, with the same bytes.
CREATE TABLE invoice_pdf (
    invoice_id uuid PRIMARY KEY REFERENCES invoice,
    content bytea NOT NULL,
    sha256 text NOT NULL,
    made_at timestamptz NOT NULL
);

-- migrate:down

DROP TABLE invoice_pdf;
DROP TABLE invoice;
DROP TABLE invoice_series;
DROP TABLE sale;
DROP TABLE invoice_logo;
DROP TABLE invoicing;
