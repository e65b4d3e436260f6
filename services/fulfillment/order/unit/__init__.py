"""The unit of work of fulfillment: what a batch of messages needs loaded, and the SQL that loads and writes it."""
