"""Events that cause mails to customers and to the merchant."""
