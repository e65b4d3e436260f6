"""Lists of orders and payments: filters, saved views, documents, exports."""
