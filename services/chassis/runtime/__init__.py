"""Runtime of one process of a service: assembled, started, monitored and stopped."""
