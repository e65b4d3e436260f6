"""Messages of payments: money and accounts, refunds, disputes, invoices."""
