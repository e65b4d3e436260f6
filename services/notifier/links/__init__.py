"""Links by which customers open the page of their order: one for each mail and address."""
