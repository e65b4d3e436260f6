-- migrate:up

-- Tags of a shop: free text and one of eight colours. `folded` is the name without case and accents, by which names
-- are equal.
create table tag (
    shop       text not null,
    tag_id     uuid not null,
    name       text not null,
    folded     text not null,
    colour     text not null check (colour in ('grey', 'red', 'orange', 'ochre', 'green', 'teal', 'blue', 'purple')),
    created_by text not null,
    created_at timestamptz not null,
    primary key (shop, tag_id),
    unique (shop, folded)
);

create table order_tag (
    shop     text not null,
    order_id uuid not null,
    tag_id   uuid not null,
    added_by text not null,
    added_at timestamptz not null,
    primary key (shop, order_id, tag_id)
);
create index order_tag_by_tag on order_tag (shop, tag_id, order_id);

-- migrate:down

drop table order_tag, tag;
