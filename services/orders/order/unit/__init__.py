"""Unit of work: the rows that one transaction loads, changes in memory and writes back at once."""
