-- migrate:up

-- A refused sale is known by module, key and content: one row however often it is sent again. An event id is chosen by
-- its sender, so it names nothing beyond that sender. What nobody can read may have no key; its body is then whatever
-- of it could be stored. The default is for processes of the version before, which run beside new ones during an
-- upgrade and name no content hash: each of their rows is kept as one of its own, as the primary key kept it.
alter table refusal
    add column content_hash bytea,
    alter column idempotency_key drop not null,
    drop constraint refusal_pkey;
update refusal set content_hash = uuid_send(submission_id);
alter table refusal
    alter column content_hash set default uuid_send(gen_random_uuid()),
    alter column content_hash set not null;
create unique index refusal_of_sale
    on refusal (shop, module, coalesce(idempotency_key, submission_id::text), content_hash);
create index refusal_by_time on refusal (shop, refused_at desc);

-- A key belongs to the sale that was placed with it. Those that only refused sales had used are free again.
delete from submission s
where exists (select from refusal r where (r.shop, r.submission_id) = (s.shop, s.submission_id))
  and not exists (select from orders o
                  where o.order_id = coalesce(s.checkout_id, s.submission_id) and o.shop = s.shop
                    and (o.stage, o.module, o.idempotency_key) = ('placed', s.module, s.idempotency_key))
  and not exists (select from deleted_order d
                  where (d.shop, d.order_id) = (s.shop, coalesce(s.checkout_id, s.submission_id)));

-- migrate:down

insert into submission (shop, module, idempotency_key, submission_id, content_hash, body, received_at)
select distinct on (shop, module, idempotency_key)
       shop, module, idempotency_key, submission_id, content_hash, body, refused_at
from refusal where idempotency_key is not null
order by shop, module, idempotency_key, refused_at
on conflict do nothing;
drop index refusal_by_time;
drop index refusal_of_sale;
delete from refusal r using refusal s
where (r.shop, r.submission_id) = (s.shop, s.submission_id) and r.ctid > s.ctid;
delete from refusal where idempotency_key is null;
alter table refusal
    drop column content_hash,
    alter column idempotency_key set not null,
    add primary key (shop, submission_id);
