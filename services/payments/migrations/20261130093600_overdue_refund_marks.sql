-- migrate:up

-- The warning about refunds recorded in the last seven days; of older ones nobody is told any more.
INSERT INTO msg.timer (kind, key, due_at, payload)
SELECT 'refund_mark_overdue', refund_id::text, asked_at + interval '7 days',
       jsonb_build_object('shop', shop, 'order_id', order_id, 'refund_id', refund_id)
FROM refund WHERE mode = 'recorded' AND reference IS NULL AND asked_at > now() - interval '7 days'
ON CONFLICT DO NOTHING;

-- migrate:down

DELETE FROM msg.timer WHERE kind = 'refund_mark_overdue';
