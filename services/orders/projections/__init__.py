"""Copies of the data that payments, fulfillment and notifier emit, with their versions.

A change or a checkout that waited for an event is continued from here.
"""
