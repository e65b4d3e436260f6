"""One HTTP edge for all services, health, metrics and the operators' routes."""
