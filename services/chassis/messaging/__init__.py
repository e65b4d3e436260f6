"""Messages: the unit of work that emits them, the SQL on schema `msg`, the topology of the broker."""
