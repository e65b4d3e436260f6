-- migrate:up

-- The true size of a body of which only a beginning was kept, because it is larger than any message may be.
ALTER TABLE msg.parked ADD COLUMN body_bytes bigint;
UPDATE msg.parked SET body_bytes = length(body), body = substring(body FOR 65536) WHERE length(body) > 1048576;

-- migrate:down

ALTER TABLE msg.parked DROP COLUMN body_bytes;
