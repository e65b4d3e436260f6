"""Disputes of payments: their deadlines, and a staff decision on a lost one."""
