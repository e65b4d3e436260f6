"""Inbound messages: raw messages, consumers, group commit, inbox, parking, dead letters."""
