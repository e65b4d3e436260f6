"""Forms: submitted fields parsed into values, and the record of forms that were processed."""
