"""SQL of the copies of other services' data about orders.

An existing row is left unchanged or replaced by a higher version only, so messages may arrive in any order and more
than once.
"""
