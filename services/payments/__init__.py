"""The payments service: what the customer of an order owes, what was received, what the providers report."""
