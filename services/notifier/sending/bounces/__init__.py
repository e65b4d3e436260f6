"""Mails that come back: their addresses, their reports, and the addresses that get no mail because of them."""
