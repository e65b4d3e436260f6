-- migrate:up

-- The search in conversations: by the customers who have one. The other orders, which are nearly all, are in none of
-- these indexes. A trigger marks them, so that it is done for a process of the version before too.
ALTER TABLE addressee ADD COLUMN has_thread boolean NOT NULL DEFAULT false;

CREATE FUNCTION mark_addressees_with_thread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE addressee AS a SET has_thread = true FROM added
    WHERE (a.shop, a.order_id) = (added.shop, added.order_id) AND NOT a.has_thread;
    RETURN NULL;
END $$;
CREATE TRIGGER thread_added AFTER INSERT ON thread
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION mark_addressees_with_thread();

UPDATE addressee SET has_thread = true FROM thread
WHERE (thread.shop, thread.order_id) = (addressee.shop, addressee.order_id);
CREATE INDEX addressee_with_thread_by_code ON addressee (shop, code) WHERE has_thread;
CREATE INDEX addressee_with_thread_by_email ON addressee (shop, lower(email) text_pattern_ops) WHERE has_thread;
CREATE INDEX addressee_with_thread_by_name ON addressee USING gin (lower(name) gin_trgm_ops)
    WITH (fastupdate = on, gin_pending_list_limit = 256) WHERE has_thread;

-- The conversations that a person looks after.
CREATE INDEX thread_by_assignee ON thread (shop, assignee, last_at DESC, order_id DESC) WHERE assignee IS NOT NULL;

-- migrate:down

DROP INDEX thread_by_assignee;
DROP INDEX addressee_with_thread_by_name;
DROP INDEX addressee_with_thread_by_email;
DROP INDEX addressee_with_thread_by_code;
DROP TRIGGER thread_added ON thread;
DROP FUNCTION mark_addressees_with_thread();
ALTER TABLE addressee DROP COLUMN has_thread;
