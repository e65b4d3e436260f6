"""Foundation of every service: a message is handled in one transaction, and none is lost or applied twice.

It contains no business terms. PostgreSQL is the source of truth, RabbitMQ transports messages; see the README
of this folder.
"""
