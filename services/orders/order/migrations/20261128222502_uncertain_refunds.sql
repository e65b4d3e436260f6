-- migrate:up

-- Of an uncertain refund nobody knows whether its provider made it.
alter table refund drop constraint refund_state_check,
    add constraint refund_state_check check (state in ('marked', 'sent', 'confirmed', 'failed', 'uncertain'));

-- migrate:down

update refund set state = 'sent' where state = 'uncertain';
alter table refund drop constraint refund_state_check,
    add constraint refund_state_check check (state in ('marked', 'sent', 'confirmed', 'failed'));
