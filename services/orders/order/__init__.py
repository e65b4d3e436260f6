"""An order: its state, its statuses, its totals and taxes, its record and the SQL behind them.

Imports no sibling package.
"""
