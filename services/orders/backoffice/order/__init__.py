"""The page of one order: what it shows and what it offers."""
