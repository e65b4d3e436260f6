"""The payments service: what an order's customer owes, what was received, and what the payment providers say."""
