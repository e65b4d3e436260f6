-- migrate:up

-- How often a person had the mail sent again: the mail server may have accepted it once more than that.
ALTER TABLE resend ADD COLUMN times integer NOT NULL DEFAULT 1;

-- migrate:down
ALTER TABLE resend DROP COLUMN times;
