"""Sales of storefronts: adapted, validated, placed as orders or refused with every reason."""
