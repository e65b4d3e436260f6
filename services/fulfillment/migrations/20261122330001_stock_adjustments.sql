-- migrate:up

-- Who counted or adjusted stock, and why; its movements have the same cause.
CREATE TABLE stock_change (
    shop text NOT NULL,
    cause uuid NOT NULL,
    actor text NOT NULL,
    reason text,
    PRIMARY KEY (shop, cause)
);

CREATE TRIGGER stock_change_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_history();

CREATE INDEX stock_movement_of_sku ON stock_movement (shop, sku, moved_at);

-- migrate:down

DROP INDEX stock_movement_of_sku;
DROP TABLE stock_change;
