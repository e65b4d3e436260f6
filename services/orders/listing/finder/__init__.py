"""Finding orders among a million: the list, its counts, the search, the export and the saved views.

Filters with few values are folded into a *kind*: a number for the combination, which the database computes
for every order. A filter is then a set of kinds, read from a small dictionary, and one index (shop, kind,
placed at) gives the orders of any set of them newest first. Tags, of which an order may have several, have an
index of their own that includes the kind; text is looked up in `order_search`, about a second behind.
"""
