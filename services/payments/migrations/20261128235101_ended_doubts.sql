-- migrate:up

-- Uncertain effects whose refund the provider told of later are over.
update msg.effect e set state = 'done', updated_at = now(), detail = p.provider || ' tells of ' || p.object_id
from provider_refund p
where e.kind = 'refund' and e.state = 'uncertain' and p.refund_id::text = e.key;

-- migrate:down
-- What is over stays over.
