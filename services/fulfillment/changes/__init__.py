"""Changed orders: units added, reduced, returned."""
