"""Pages and forms that change one order: edit, refund, cancellation, deletion."""
