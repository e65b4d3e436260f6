"""Exports of lists as CSV, in constant memory."""
