"""Events of orders about an account: opened, changed, closed, re-emitted."""
