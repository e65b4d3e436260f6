"""Erasure of a customer on request: what may be erased, the erasure in orders, and the proof of it."""
