"""The other services over HTTP, for what this one does not copy."""
