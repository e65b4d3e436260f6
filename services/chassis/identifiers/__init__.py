"""Numbers that others assign, and what is wrong with one that can't be right: countries, registers, VAT, banks."""
