"""Intake of storefronts' sales: adapted, validated, placed as orders or refused with every reason."""
