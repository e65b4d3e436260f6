"""Read-only HTTP for the back office and operators."""
