"""What is known of a customer: countries and mail addresses, by their form alone. Pure."""
