-- migrate:up

-- The VAT rates that occur in each shop's orders, in millionths, as the worker of the search finds them: an export has a
-- column for each. A rate that occurred once stays, so that a shop's exports keep their columns.
create table vat_rate (
    shop     text not null,
    rate_ppm integer not null,
    primary key (shop, rate_ppm)
);
insert into vat_rate (shop, rate_ppm)
select distinct s.shop, r.rate
from order_search s
cross join lateral unnest(coalesce(s.vat_ppm, array(select b * 100 from unnest(s.vat_rates) as b))) as r (rate);

-- migrate:down

drop table vat_rate;
