"""Mails: which cause leads to which mail, their contents, the unit of work and its SQL."""
