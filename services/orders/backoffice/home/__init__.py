"""The home page: figures of recent days and pending work."""
