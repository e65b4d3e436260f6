"""Mails: which cause asks for which, what they contain, the unit of work and its SQL."""
