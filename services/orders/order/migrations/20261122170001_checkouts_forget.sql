-- migrate:up

-- For forgetting what checkouts tell of IP address and browser: finds a day's rows, costs nothing to keep.
create index checkout_by_opening on checkout using brin (opened_at) with (autosummarize = on);

-- migrate:down

drop index checkout_by_opening;
