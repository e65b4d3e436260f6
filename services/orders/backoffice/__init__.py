"""The merchant's back office: pages of the orders service, a separate process on orders' database."""
