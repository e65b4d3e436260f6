-- migrate:up

-- Goods without a SKU have no stock and can be packed all the same.
ALTER TABLE order_line DROP CONSTRAINT goods_have_a_sku;

-- migrate:down

ALTER TABLE order_line ADD CONSTRAINT goods_have_a_sku CHECK (kind <> 'ship' OR sku IS NOT NULL) NOT VALID;
