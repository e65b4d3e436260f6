-- migrate:up

-- What staff write to each other about an order; the text exists nowhere else. One that was wrong is not changed but
-- countered by another: `counters`.
create table comment (
    shop       text not null,
    order_id   uuid not null,
    comment_id uuid not null,
    text       text not null,
    counters   uuid,
    written_by text not null,
    written_at timestamptz not null,
    primary key (shop, order_id, comment_id)
);

-- migrate:down

drop table comment;
