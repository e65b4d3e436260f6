"""Texts of mails as a shop writes them: their small syntax, the placeholders they may hold, and their versions."""
