"""Order: its state, statuses, totals, taxes and record, and the SQL behind them.

Imports no sibling package.
"""
