"""Mails to customers: the list, one mail, many resent at once."""
