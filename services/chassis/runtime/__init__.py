"""One process of a service: put together, started, watched and stopped."""
