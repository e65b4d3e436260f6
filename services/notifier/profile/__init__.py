"""What a shop's staff change about its mails: texts, brand and support block; checked and tried on samples."""
