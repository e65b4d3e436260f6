-- migrate:up

-- What is told of a shipment that left may be corrected, or the shipment taken back; the highest version counts.
alter table shipment
    add column version integer not null default 1 check (version >= 1),
    add column cancelled_at timestamptz,
    add column cancelled_by text,
    add column cancel_reason text,
    add constraint cancelling_is_whole check ((cancelled_at is null) = (cancelled_by is null));

-- A parcel that was lost may be heard of before it was packed; both are sets of facts, joined when read.
create table lost_parcel (
    shop        text not null,
    order_id    uuid not null,
    parcel_id   uuid not null,
    lost_at     timestamptz not null,
    lost_by     text not null,
    lost_reason text,
    primary key (shop, order_id, parcel_id)
);

-- migrate:down

drop table lost_parcel;
alter table shipment drop constraint cancelling_is_whole, drop column version, drop column cancelled_at,
    drop column cancelled_by, drop column cancel_reason;
