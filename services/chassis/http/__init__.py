"""The HTTP edge of all services: health, metrics and the operators' routes."""
