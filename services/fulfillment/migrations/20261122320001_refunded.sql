-- migrate:up

-- Refunded units are an asked change as well: a refund is heeded once.
ALTER TABLE line_change DROP CONSTRAINT line_change_kind_check, DROP CONSTRAINT line_change_cause_check;
ALTER TABLE line_change
    ADD CONSTRAINT line_change_kind_check CHECK (kind IN ('reduction', 'addition', 'refund')),
    ADD CONSTRAINT line_change_cause_check CHECK (cause IN ('edited', 'cancelled', 'reinstated', 'deleted', 'refunded'));

-- migrate:down

DELETE FROM line_change WHERE kind = 'refund';
ALTER TABLE line_change DROP CONSTRAINT line_change_kind_check, DROP CONSTRAINT line_change_cause_check;
ALTER TABLE line_change
    ADD CONSTRAINT line_change_kind_check CHECK (kind IN ('reduction', 'addition')),
    ADD CONSTRAINT line_change_cause_check CHECK (cause IN ('edited', 'cancelled', 'reinstated', 'deleted'));
