"""The copies of the notifier's conversations: each thread's state, and where received mails ended."""
