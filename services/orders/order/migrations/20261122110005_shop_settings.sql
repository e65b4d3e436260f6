-- migrate:up

-- What a shop chose; a key without a row has its default (`shop_settings.py`).
create table shop_setting (
    shop       text not null,
    key        text not null,
    value      jsonb not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (shop, key)
);

-- Up to when customers' IP addresses and browsers were forgotten, by shop and table.
create table forgotten (
    shop       text not null,
    source     text not null,
    until      timestamptz not null,
    primary key (shop, source)
);
-- Rows come in the sequence of their time: this index costs nothing to keep and finds a day's rows.
create index submission_by_receipt on submission using brin (received_at) with (autosummarize = on);
create index refusal_by_receipt on refusal using brin (refused_at) with (autosummarize = on);

-- migrate:down

drop index refusal_by_receipt, submission_by_receipt;
drop table forgotten, shop_setting;
