"""Issuing documents: which shops may, and the worker that does it."""
