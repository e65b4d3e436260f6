"""Actions of the staff that need no other service: status updates, labels, tags, comments, the archive."""
