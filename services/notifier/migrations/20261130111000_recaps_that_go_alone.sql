-- migrate:up

-- When a recap was handed over without the PDF of its invoice, which then needs a mail of its own.
ALTER TABLE recap_hold ADD COLUMN alone_at timestamptz;

-- migrate:down

ALTER TABLE recap_hold DROP COLUMN alone_at;
