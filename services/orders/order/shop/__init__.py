"""A shop's own settings, and the colours and names that people choose."""
