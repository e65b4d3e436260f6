"""The merchant's back office: pages of the orders service, a process of its own on orders' database."""
