-- migrate:up

-- For letting go checkouts that ended long ago without a sale.
create index orders_unplaced on orders (placed_at) where stage = 'checkout_over';

-- migrate:down

drop index orders_unplaced;
