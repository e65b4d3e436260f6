-- migrate:up

-- The command that had a mail sent again last: what becomes of the mail is that command's outcome. Without a command
-- (an operator's route) the ids are null.
CREATE TABLE resend (
    mail_id uuid PRIMARY KEY REFERENCES mail,
    command_id uuid,
    command_type text
);

-- For the list of mails: by shop, by the order's code, by address.
CREATE INDEX mail_by_shop ON mail (shop, created_at, id);
CREATE INDEX mail_by_code ON mail (code);
CREATE INDEX mail_by_recipient ON mail (lower(recipient) text_pattern_ops);

-- migrate:down
DROP INDEX mail_by_recipient, mail_by_code, mail_by_shop;
DROP TABLE resend;
