-- migrate:up

-- What each shop's articles are called, as their latest order in each language says: fulfillment counts article numbers
-- and knows no names. Kept by the worker of the search, beside the words it writes anyway.
create table article_name (
    shop      text not null,
    sku       text not null,
    language  text not null,
    name      text not null,
    placed_at timestamptz not null,
    primary key (shop, sku, language)
);
insert into article_name (shop, sku, language, name, placed_at)
select distinct on (l.shop, l.sku, left(o.locale, 2)) l.shop, l.sku, left(o.locale, 2), l.description, o.placed_at
from order_line l join orders o on o.shop = l.shop and o.order_id = l.order_id
where l.sku is not null and l.kind = 'ship'
order by l.shop, l.sku, left(o.locale, 2), o.placed_at desc;

-- migrate:down

drop table article_name;
