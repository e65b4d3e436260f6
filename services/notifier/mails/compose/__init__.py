"""A mail written out: what it says in either language, and the bytes that travel."""
