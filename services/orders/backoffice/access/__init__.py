"""Who may do what: staff, their passwords and sessions, permissions, and the record of what they did."""
