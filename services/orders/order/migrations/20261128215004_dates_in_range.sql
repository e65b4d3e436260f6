-- migrate:up

-- Dates are taken in from 1970 to 2200 only. What was stored beyond comes to the nearest end of that range: also the
-- ends of the calendar, which the driver stores as infinite.
update orders set placed_at = least(greatest(placed_at, '1970-01-01 00:00:00+00'), '2200-12-31 23:59:59+00')
where placed_at < '1970-01-01 00:00:00+00' or placed_at > '2200-12-31 23:59:59.999999+00';
update order_line set starts_at = least(greatest(starts_at, '1970-01-01 00:00:00+00'), '2200-12-31 23:59:59+00')
where starts_at < '1970-01-01 00:00:00+00' or starts_at > '2200-12-31 23:59:59.999999+00';
update order_line set ends_at = least(greatest(ends_at, '1970-01-01 00:00:00+00'), '2200-12-31 23:59:59+00')
where ends_at < '1970-01-01 00:00:00+00' or ends_at > '2200-12-31 23:59:59.999999+00';

-- migrate:down

select 1;
