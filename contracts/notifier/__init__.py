"""Messages of the notifier: mails and their texts, conversation, and the customers' page."""
