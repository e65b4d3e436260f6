"""The unit of work: what one transaction loads, changes in memory and writes back at once."""
