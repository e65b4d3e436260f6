"""The conversation with customers: the inbox, an order's thread, mails to be filed, drafts, quick replies."""
