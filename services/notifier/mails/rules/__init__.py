"""Rules of a shop: which of its mails are sent."""
