-- migrate:up

-- When the order was deleted. Nothing of its customer is left then, but that there were mails and what became of them.
ALTER TABLE addressee ADD COLUMN deleted_at timestamptz;

-- migrate:down

ALTER TABLE addressee DROP COLUMN deleted_at;
