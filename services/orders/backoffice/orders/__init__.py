"""The list of orders: filters, columns, export, print, tags, saved views."""
