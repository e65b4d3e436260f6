"""Parcels: packed, unpacked, prepared."""
