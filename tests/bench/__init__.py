"""How fast Comptoir is, beside a floor that does the same work with no rules: `python -m tests.bench`."""
