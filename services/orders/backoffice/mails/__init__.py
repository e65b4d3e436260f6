"""Mails to customers: the list, one mail, bulk resending."""
