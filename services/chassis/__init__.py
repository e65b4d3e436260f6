"""What every service stands on: a message is handled in one transaction and nothing is lost or done twice.

No business word in here. PostgreSQL holds the truth, RabbitMQ carries it; see the README of this folder.
"""
