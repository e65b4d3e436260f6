-- migrate:up

-- Whether the customer is to be told of a cancellation once it took effect, and in which words.
alter table order_edit
    add column notify_customer boolean not null default false,
    add column public_comment text;

-- migrate:down

alter table order_edit drop column notify_customer, drop column public_comment;
