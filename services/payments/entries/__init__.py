"""Lists over all accounts."""
