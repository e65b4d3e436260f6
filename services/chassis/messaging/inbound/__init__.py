"""The way in: raw messages, consumers, group commit, inbox, parking, dead letters."""
