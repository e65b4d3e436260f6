-- migrate:up

-- Asked changes of placed orders that were answered: one row per request, so that the same request again changes nothing.
CREATE TABLE line_change (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    request_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reduction', 'addition')),
    cause text NOT NULL CHECK (cause IN ('edited', 'cancelled', 'reinstated', 'deleted')),
    done jsonb NOT NULL,    -- stopped or added units by line
    refused jsonb NOT NULL, -- units that had left, or that had no stock, by line
    actor text NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (shop, order_id, request_id, kind),
    FOREIGN KEY (shop, order_id) REFERENCES fulfilment_order
);

-- A parcel that was taken apart again before it left; its units are free to be packed or cancelled.
ALTER TABLE parcel
    ADD COLUMN unpacked_at timestamptz,
    ADD COLUMN unpacked_by text,
    ADD CONSTRAINT unpacking_is_whole CHECK ((unpacked_at IS NULL) = (unpacked_by IS NULL));

-- migrate:down

ALTER TABLE parcel DROP CONSTRAINT unpacking_is_whole, DROP COLUMN unpacked_at, DROP COLUMN unpacked_by;
DROP TABLE line_change;
