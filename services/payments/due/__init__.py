"""What orders emits about an account: opened, changed, closed, re-emitted."""
