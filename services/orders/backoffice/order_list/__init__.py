"""The list of orders as pages need it: what is asked for, how it is told in words, which columns, which rows."""
