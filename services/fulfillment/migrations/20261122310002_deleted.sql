-- migrate:up

-- Orders deletes orders; here they are only marked, since their movements explain the stock.
ALTER TABLE fulfilment_order ADD COLUMN deleted_at timestamptz;

-- migrate:down

ALTER TABLE fulfilment_order DROP COLUMN deleted_at;
