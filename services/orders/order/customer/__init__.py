"""Customer data checked by form only: country codes and mail addresses. Pure."""
