"""Pages about single messages: lost, parked, replayed, resynced."""
