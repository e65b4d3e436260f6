-- migrate:up

-- Forms of the back office that were carried out, by their key: a second sending of the same form does nothing more.
create table form_sent (
    shop         text not null,
    key          text not null,
    content_hash bytea not null,
    sent_at      timestamptz not null,
    primary key (shop, key)
);
create index form_sent_by_time on form_sent (sent_at);

-- migrate:down

drop table form_sent;
