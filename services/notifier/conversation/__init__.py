"""The conversation about an order: threads, messages, received mails and their attachments."""
