"""Storage in a service's own PostgreSQL: connections, bulk writes, partitions, migrations, and its clock."""
