-- migrate:up

-- The copy holds entries of every kind: what is due and what is credited has no method and no day of receipt. Their
-- numbers within the account are payments'; copies from before are numbered in their own sequence.
alter table ledger_entry
    alter column method drop not null,
    alter column received_on drop not null,
    add column number integer,
    add column occurred_at timestamptz;
update ledger_entry as e
set number = n.number, occurred_at = e.recorded_at
from (select entry_id, row_number() over (partition by shop, order_id order by recorded_at, entry_id) as number
      from ledger_entry) as n
where n.entry_id = e.entry_id;
alter table ledger_entry
    alter column number set not null,
    alter column occurred_at set not null;

-- migrate:down

delete from ledger_entry where kind <> 'payment_received';
alter table ledger_entry
    drop column occurred_at,
    drop column number,
    alter column received_on set not null,
    alter column method set not null;
