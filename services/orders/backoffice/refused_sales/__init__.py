"""Sales that could not become orders, and why."""
