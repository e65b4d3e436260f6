"""The web layer of the back office: routing with permissions, requests, rendering, live updates, static files."""
