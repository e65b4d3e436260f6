-- migrate:up

-- A tracking address may hold the customer's postal code: it goes with the order.
UPDATE shipment SET tracking_url = NULL
FROM fulfilment_order AS o
WHERE (o.shop, o.order_id) = (shipment.shop, shipment.order_id) AND o.deleted_at IS NOT NULL
  AND shipment.tracking_url IS NOT NULL;

-- migrate:down

SELECT;
