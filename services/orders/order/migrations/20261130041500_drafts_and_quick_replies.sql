-- migrate:up

-- A message to an order's customer that a staff member has typed and not sent. `form_key` is the key of the form that
-- sent it: once that command is done, the draft is over.
create table message_draft (
    shop     text not null,
    order_id uuid not null,
    staff_id uuid not null references staff,
    text     text not null,
    form_key text,
    saved_at timestamptz not null,
    primary key (shop, order_id, staff_id)
);
create index message_draft_by_time on message_draft (saved_at);

-- A text that the shop's staff often send, in both languages; an empty one is not offered.
create table quick_reply (
    shop       text not null,
    reply_id   uuid not null,
    name       text not null,
    folded     text not null,
    text_fr    text not null,
    text_en    text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (shop, reply_id)
);
create unique index quick_reply_by_name on quick_reply (shop, folded);

-- migrate:down

drop table quick_reply, message_draft;
