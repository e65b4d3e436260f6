"""The page of one order: its data and the actions it offers."""
