-- migrate:up

-- A shipment's version counts what was corrected after it left; a cancelled one has no further.
ALTER TABLE shipment
    ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version >= 1),
    ADD COLUMN updated_at timestamptz,
    ADD COLUMN updated_by text,
    ADD COLUMN cancelled_at timestamptz,
    ADD COLUMN cancelled_by text,
    ADD COLUMN cancel_reason text,
    ADD CONSTRAINT update_is_whole CHECK ((updated_at IS NULL) = (updated_by IS NULL)),
    ADD CONSTRAINT cancelling_is_whole CHECK (
        (cancelled_at IS NULL) = (cancelled_by IS NULL) AND (cancel_reason IS NULL OR cancelled_at IS NOT NULL)
    ),
    ADD CONSTRAINT delivered_or_cancelled CHECK (delivered_at IS NULL OR cancelled_at IS NULL);

-- A parcel leaves in one shipment that stands; it may have been in others that were cancelled.
ALTER TABLE shipment_parcel ADD COLUMN is_cancelled boolean NOT NULL DEFAULT false;
ALTER TABLE shipment_parcel DROP CONSTRAINT parcel_ships_once;
CREATE UNIQUE INDEX parcel_ships_once ON shipment_parcel (shop, order_id, parcel_id) WHERE NOT is_cancelled;

ALTER TABLE parcel
    ADD COLUMN lost_at timestamptz,
    ADD COLUMN lost_by text,
    ADD COLUMN lost_reason text,
    ADD CONSTRAINT loss_is_whole CHECK (
        (lost_at IS NULL) = (lost_by IS NULL) AND (lost_reason IS NULL OR lost_at IS NOT NULL)
    ),
    ADD CONSTRAINT lost_or_unpacked CHECK (lost_at IS NULL OR unpacked_at IS NULL);

-- `unship`: units of a cancelled shipment are on hand and reserved again.
ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_kind_check;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_kind_check
    CHECK (kind IN ('hold', 'reserve', 'release', 'ship', 'unship', 'restock', 'write_off', 'adjust')) NOT VALID;

-- migrate:down

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_kind_check;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_kind_check
    CHECK (kind IN ('hold', 'reserve', 'release', 'ship', 'restock', 'write_off', 'adjust')) NOT VALID;
ALTER TABLE parcel DROP CONSTRAINT lost_or_unpacked, DROP CONSTRAINT loss_is_whole, DROP COLUMN lost_at,
    DROP COLUMN lost_by, DROP COLUMN lost_reason;
DROP INDEX parcel_ships_once;
ALTER TABLE shipment_parcel DROP COLUMN is_cancelled;
ALTER TABLE shipment_parcel ADD CONSTRAINT parcel_ships_once UNIQUE (shop, order_id, parcel_id);
ALTER TABLE shipment DROP CONSTRAINT delivered_or_cancelled, DROP CONSTRAINT cancelling_is_whole,
    DROP CONSTRAINT update_is_whole, DROP COLUMN version, DROP COLUMN updated_at, DROP COLUMN updated_by,
    DROP COLUMN cancelled_at, DROP COLUMN cancelled_by, DROP COLUMN cancel_reason;
