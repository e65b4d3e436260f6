"""Erasure of personal data: the rule of what is removed, the rows it is applied to, and the process of it."""
