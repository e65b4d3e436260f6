"""Replay, resync, lost and parked messages: what operators repair."""
