"""The customer's page: one order behind the link in its mails, in a process of its own that is exposed to the
public.
"""
