"""PayPal's signature on a delivery: what it covers, the certificate that it is verified by, and PayPal's own check."""
