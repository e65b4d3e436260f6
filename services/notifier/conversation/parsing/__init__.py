"""A received mail read: headers, the author's text, attachments. Nothing here trusts the sender."""
