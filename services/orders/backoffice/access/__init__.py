"""Access control: staff, their passwords and sessions, permissions, and the audit of their actions."""
