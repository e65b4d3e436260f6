"""The receiver of mails: which addresses it accepts, what it stores before its 250, and the LMTP or SMTP server."""
