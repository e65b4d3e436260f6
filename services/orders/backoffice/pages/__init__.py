"""The pages: a module each, found at start by its `pages` (see `routing.py`)."""
