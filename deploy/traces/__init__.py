"""Traces of orders, derived from the event logs and exported by OTLP."""
