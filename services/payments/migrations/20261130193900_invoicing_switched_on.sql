-- migrate:up

-- When invoicing was first switched on: from then on orders are invoiced while no first day is chosen. Earlier versions
-- kept it in `since` only, where a chosen first day replaced it.
ALTER TABLE invoicing ADD COLUMN switched_on_at timestamptz;

UPDATE invoicing i SET switched_on_at = CASE
    WHEN i.settings ->> 'first_day' IS NULL AND i.since <= i.changed_at THEN i.since
    ELSE least(i.changed_at, (SELECT min(d.issued_at) FROM invoice d WHERE d.shop = i.shop))
END WHERE i.since IS NOT NULL AND (i.is_on OR i.settings ->> 'first_day' IS NULL);

-- A first day to come that was taken back later: orders placed meanwhile are looked at again.
UPDATE sale s SET is_due = true FROM invoicing i
WHERE i.shop = s.shop AND i.settings ->> 'first_day' IS NULL AND i.since > i.changed_at
    AND s.placed_at >= i.switched_on_at AND s.content IS NOT NULL AND NOT s.is_due;
UPDATE invoicing SET since = switched_on_at WHERE settings ->> 'first_day' IS NULL AND since > changed_at;

-- migrate:down

ALTER TABLE invoicing DROP COLUMN switched_on_at;
