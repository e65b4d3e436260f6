"""Sign-in, the user's account and preferences."""
