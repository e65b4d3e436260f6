-- migrate:up

-- A parcel that was taken apart may be heard of before it was packed; both are sets of facts, joined when read.
create table unpacking (
    shop        text not null,
    order_id    uuid not null,
    parcel_id   uuid not null,
    unpacked_at timestamptz not null,
    unpacked_by text not null,
    primary key (shop, order_id, parcel_id)
);

-- migrate:down

drop table unpacking;
