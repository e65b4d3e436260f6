-- migrate:up

-- The reference of a proof may hold a name, a tracking address a postal code: both go with the order.
UPDATE shipment SET tracking_url = NULL, proof_reference = NULL
FROM fulfilment_order AS o
WHERE (o.shop, o.order_id) = (shipment.shop, shipment.order_id) AND o.deleted_at IS NOT NULL
  AND (shipment.tracking_url IS NOT NULL OR shipment.proof_reference IS NOT NULL);

-- migrate:down

SELECT;
