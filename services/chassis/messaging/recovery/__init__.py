"""Recovery by operators: replay, resync, lost and parked messages."""
