"""A received mail put where it belongs: its thread, its author, what folds, brakes, attachments, and where it ended."""
