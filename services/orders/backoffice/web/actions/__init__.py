"""The way from a form to a command or a local action and back."""
