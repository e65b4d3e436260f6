-- migrate:up

-- The message by which a change asked fulfillment last. When it is given up, the change ends.
alter table order_edit add column question_id uuid;
update order_edit as e set question_id = (
    select log.id from msg.event_log as log
    where log.shop = e.shop and log.subject = e.order_id::text and log.type like 'orders.lines.%'
      and convert_from(log.body, 'UTF8')::jsonb ->> 'request_id' = e.edit_id::text
    order by log.id desc limit 1)
where e.state in ('reducing', 'adding');
create index order_edit_by_question on order_edit (question_id) where state in ('reducing', 'adding');

-- migrate:down

alter table order_edit drop column question_id;
