-- migrate:up

-- What an order needs, how far it is, and whether stock stands behind it. Locked before anything of the order changes.
CREATE TABLE fulfilment_order (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    code text NOT NULL,
    placed_at timestamptz NOT NULL,
    stock text NOT NULL CHECK (stock IN ('not_required', 'reserved', 'missing')),
    version integer NOT NULL CHECK (version >= 1),
    sequence integer NOT NULL CHECK (sequence >= 0),
    next_parcel_number integer NOT NULL CHECK (next_parcel_number >= 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, order_id)
);

CREATE INDEX fulfilment_order_missing ON fulfilment_order (shop, placed_at, order_id) WHERE stock = 'missing';

CREATE TABLE order_line (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL CHECK (line >= 1),
    kind text NOT NULL CHECK (kind IN ('ship', 'ticket', 'booking', 'service')),
    sku text,
    ordered integer NOT NULL CHECK (ordered >= 1),
    cancelled integer NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    packed integer NOT NULL DEFAULT 0 CHECK (packed >= 0),
    lost integer NOT NULL DEFAULT 0 CHECK (lost >= 0),
    shipped integer NOT NULL DEFAULT 0 CHECK (shipped >= 0),
    delivered integer NOT NULL DEFAULT 0 CHECK (delivered >= 0),
    returned integer NOT NULL DEFAULT 0 CHECK (returned >= 0),
    PRIMARY KEY (shop, order_id, line),
    FOREIGN KEY (shop, order_id) REFERENCES fulfilment_order,
    CONSTRAINT cancelled_within_ordered CHECK (cancelled <= ordered),
    CONSTRAINT packed_within_need CHECK (packed - lost <= ordered - cancelled),
    CONSTRAINT lost_within_packed CHECK (lost <= packed),
    CONSTRAINT shipped_within_packed CHECK (shipped <= packed),
    CONSTRAINT delivered_within_shipped CHECK (delivered <= shipped),
    CONSTRAINT returned_within_shipped CHECK (returned <= shipped),
    CONSTRAINT goods_have_a_sku CHECK (kind <> 'ship' OR sku IS NOT NULL)
) WITH (fillfactor = 80);

CREATE TABLE stock_level (
    shop text NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    on_hand integer NOT NULL CHECK (on_hand >= 0),
    reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    PRIMARY KEY (shop, sku, location),
    CONSTRAINT available_not_negative CHECK (reserved <= on_hand)
) WITH (fillfactor = 50);

-- Why a level is what it is. order_id and line are null for an adjustment; cause is the id of the fact behind the movement.
CREATE TABLE stock_movement (
    shop text NOT NULL,
    order_id uuid,
    line integer,
    cause uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('hold', 'reserve', 'release', 'ship', 'restock', 'write_off', 'adjust')),
    sku text NOT NULL,
    location text NOT NULL,
    quantity integer NOT NULL,
    moved_at timestamptz NOT NULL,
    CONSTRAINT movement_once UNIQUE NULLS NOT DISTINCT (shop, order_id, line, cause, kind, sku, location),
    CONSTRAINT quantity_signed_by_kind CHECK (CASE WHEN kind = 'adjust' THEN quantity <> 0 ELSE quantity > 0 END),
    CONSTRAINT of_an_order_or_an_adjustment CHECK ((kind = 'adjust') = (order_id IS NULL) AND (order_id IS NULL) = (line IS NULL))
);

CREATE FUNCTION refuse_to_change_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: it is append-only; write a movement that undoes the wrong one', tg_op, tg_table_name;
END $$;

CREATE TRIGGER stock_movement_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();

-- What one order line took from one level and what came of it; `quantity` is what is still reserved.
CREATE TABLE reservation (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    location text NOT NULL,
    taken integer NOT NULL CHECK (taken >= 1),
    released integer NOT NULL DEFAULT 0 CHECK (released >= 0),
    shipped integer NOT NULL DEFAULT 0 CHECK (shipped >= 0),
    written_off integer NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    restocked integer NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    quantity integer NOT NULL GENERATED ALWAYS AS (taken - released - shipped - written_off) STORED,
    PRIMARY KEY (shop, order_id, line, location),
    FOREIGN KEY (shop, order_id, line) REFERENCES order_line,
    FOREIGN KEY (shop, sku, location) REFERENCES stock_level,
    CONSTRAINT given_back_within_taken CHECK (released + shipped + written_off <= taken),
    CONSTRAINT restocked_within_shipped CHECK (restocked <= shipped)
) WITH (fillfactor = 80);

CREATE INDEX reservation_open ON reservation (shop, sku, location) WHERE quantity > 0;

-- `number` is what people call the parcel; it follows the sequence of packing and identifies nothing.
CREATE TABLE parcel (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    number integer NOT NULL CHECK (number >= 1),
    kind text NOT NULL,
    weight_grams integer CHECK (weight_grams >= 0),
    length_mm integer CHECK (length_mm >= 0),
    width_mm integer CHECK (width_mm >= 0),
    height_mm integer CHECK (height_mm >= 0),
    declared_value_minor bigint,
    packed_at timestamptz NOT NULL,
    packed_by text NOT NULL,
    PRIMARY KEY (shop, order_id, parcel_id),
    UNIQUE (shop, order_id, number),
    FOREIGN KEY (shop, order_id) REFERENCES fulfilment_order
);

CREATE TABLE parcel_line (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    line integer NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 1),
    PRIMARY KEY (shop, order_id, parcel_id, line),
    FOREIGN KEY (shop, order_id, parcel_id) REFERENCES parcel,
    FOREIGN KEY (shop, order_id, line) REFERENCES order_line
);

CREATE TABLE shipment (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    carrier text NOT NULL,
    tracking_number text,
    tracking_url text,
    shipped_on date NOT NULL,
    expected_on date,
    cost_minor bigint,
    cost_currency text CHECK (cost_currency ~ '^[A-Z]{3}$'),
    notify_customer boolean NOT NULL,
    dispatched_at timestamptz NOT NULL,
    dispatched_by text NOT NULL,
    delivered_at timestamptz,
    proof text CHECK (proof IN ('carrier_scan', 'signature', 'customer_word', 'photo', 'none')),
    proof_reference text,
    recorded_at timestamptz,
    recorded_by text,
    PRIMARY KEY (shop, order_id, shipment_id),
    FOREIGN KEY (shop, order_id) REFERENCES fulfilment_order,
    CONSTRAINT cost_has_a_currency CHECK ((cost_minor IS NULL) = (cost_currency IS NULL)),
    CONSTRAINT delivery_is_whole CHECK (
        (delivered_at IS NULL) = (proof IS NULL) AND (delivered_at IS NULL) = (recorded_at IS NULL)
        AND (delivered_at IS NULL) = (recorded_by IS NULL) AND (proof_reference IS NULL OR delivered_at IS NOT NULL)
    )
);

CREATE TABLE shipment_parcel (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    shipment_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    PRIMARY KEY (shop, order_id, shipment_id, parcel_id),
    FOREIGN KEY (shop, order_id, shipment_id) REFERENCES shipment,
    FOREIGN KEY (shop, order_id, parcel_id) REFERENCES parcel,
    CONSTRAINT parcel_ships_once UNIQUE (shop, order_id, parcel_id)
);

-- migrate:down

DROP TABLE shipment_parcel, shipment, parcel_line, parcel, reservation, stock_movement, stock_level, order_line, fulfilment_order;
DROP FUNCTION refuse_to_change_history();
