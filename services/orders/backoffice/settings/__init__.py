"""Settings of the shop: checkouts, statuses, tags, carriers, staff."""
