"""What the page of one order shows and offers; its routes are in `../pages/order*.py`."""
