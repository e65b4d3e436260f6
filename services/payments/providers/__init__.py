"""Payment providers; each translates its own objects into the facts of `accounts.facts`."""
