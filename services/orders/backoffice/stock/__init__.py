"""Stock levels and their changes."""
