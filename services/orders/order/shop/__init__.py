"""Shop settings, and the colours and names that people choose."""
