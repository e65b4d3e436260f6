"""What staff decide here without another service: status updates, labels, tags, comments, the archive."""
