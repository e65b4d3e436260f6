-- migrate:up

-- Statuses are data: a shop's own labels, each bound to a fixed state; rows of built-in keys say only how those look.
-- A deleted label is kept for the histories that name it.
create table label (
    shop       text not null,
    key        text not null,
    state      text not null,
    fr         text not null,
    en         text not null,
    colour     text not null check (colour in ('grey', 'red', 'orange', 'ochre', 'green', 'teal', 'blue', 'purple')),
    position   integer not null,
    changed_by text not null,
    changed_at timestamptz not null,
    deleted_at timestamptz,
    primary key (shop, key)
);

-- Which orders have a status set by hand: few at any time.
create index orders_by_hand_label on orders (shop, hand_label) where hand_label is not null;

-- migrate:down

drop index orders_by_hand_label;
drop table label;
