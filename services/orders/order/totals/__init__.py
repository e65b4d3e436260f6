"""An order's amounts: content, allocation to lines, taxes. Pure."""
