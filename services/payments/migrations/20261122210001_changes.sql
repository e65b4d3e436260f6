-- migrate:up

-- Its order was deleted: money that still comes for it has no order and is reported («À identifier»).
ALTER TABLE account ADD COLUMN closed_at timestamptz;

-- Edits of orders that were heard: one row each, whatever part of its sum was posted.
CREATE TABLE order_edit (
    shop text NOT NULL,
    order_id uuid NOT NULL,
    edit_id uuid NOT NULL,
    cause text NOT NULL,
    due_change_minor bigint NOT NULL, -- what orders asked for; negative: a credit
    posted_minor bigint NOT NULL,     -- what the ledger has of it, same sign: a credit ends where nothing is due
    PRIMARY KEY (shop, order_id, edit_id),
    FOREIGN KEY (shop, order_id) REFERENCES account,
    CONSTRAINT posted_within_asked CHECK (abs(posted_minor) <= abs(due_change_minor) AND posted_minor * due_change_minor >= 0)
);
CREATE TRIGGER order_edit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_edit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down

DROP TABLE order_edit;

ALTER TABLE account DROP COLUMN closed_at;
