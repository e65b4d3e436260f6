"""Invoices in the REST API: issue one, read and change a shop's invoicing settings. Payments owns both."""
