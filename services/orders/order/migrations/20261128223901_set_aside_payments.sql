-- migrate:up

-- Money without an order that a person said is nobody's here; payments has it in its own books, too.
alter table unmatched_payment
    add column set_aside_at timestamptz,
    add column set_aside_by text,
    add column set_aside_reason text;

-- migrate:down

alter table unmatched_payment drop column set_aside_at, drop column set_aside_by, drop column set_aside_reason;
