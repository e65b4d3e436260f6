"""Routes for the shop's stock and mails: what the owning services know now, and what staff may change there."""
