-- migrate:up

-- The list of orders chooses its plans by the statistics of this table: it is analysed often, whatever the server's own
-- threshold is.
alter table orders set (autovacuum_analyze_threshold = 2000);

-- migrate:down

alter table orders reset (autovacuum_analyze_threshold);
