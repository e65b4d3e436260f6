"""The unit of work: accounts locked, changed in memory and written back at once, with all SQL on them."""
