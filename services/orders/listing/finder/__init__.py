"""Finding orders among a million: the list, its counts, the search, the export and the saved views.

Whatever people filter by and that has few values is folded into a *kind*: a number for the combination, which the
database computes for every order. A filter is then a set of kinds, read from a small dictionary, and one index
(shop, kind, placed at) gives the orders of any set of them newest first. What orders may have several of (tags) has
an index of its own with the kind inside; text is looked up in `order_search`, about a second behind.
"""
