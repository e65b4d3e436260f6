-- migrate:up

-- An order is found by the numbers of its invoices and credit notes.
CREATE TRIGGER invoice_search_again AFTER INSERT ON invoice
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT
    WHEN (current_setting('comptoir.bulk_load', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION search_found_again();

-- Orders that had documents before.
INSERT INTO order_search_due (shop, order_id) SELECT DISTINCT shop, order_id FROM invoice;

-- migrate:down

DROP TRIGGER invoice_search_again ON invoice;
