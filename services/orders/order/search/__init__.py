"""Order search: the words by which an order is found, and its row in `order_search`."""
