"""What Stripe posts: its signature, its events, its money. Nothing else in payments knows Stripe's shapes."""

PROVIDER = "stripe"
