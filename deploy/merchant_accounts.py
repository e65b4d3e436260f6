"""The merchant's accounts at Stripe and PayPal, as the stand-ins on this machine keep them.

Addresses, keys and secrets are known before anything starts: the stand-ins and the payments service are both given
them. The accounts belong to one shop; the webhooks of Stripe can be posted to every shop's endpoint.
"""

import json
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PAYPAL_ROOT = "paypal-root.pem"
CAPITALS = string.ascii_uppercase + string.digits


def _webhook_id() -> str:
    return "".join(secrets.choice(CAPITALS) for _ in range(17))


@dataclass
class MerchantAccounts:
    """`folder` is where the stand-in for PayPal keeps its certificates."""

    stripe_port: int
    paypal_port: int
    paypal_https_port: int
    folder: Path
    stripe_secret: str = field(default_factory=lambda: f"whsec_{secrets.token_hex(24)}")
    stripe_key: str = field(default_factory=lambda: f"sk_test_{secrets.token_hex(24)}")
    paypal_client_id: str = field(default_factory=lambda: f"A{secrets.token_urlsafe(59)}")
    paypal_client_secret: str = field(default_factory=lambda: f"E{secrets.token_urlsafe(59)}")
    paypal_webhook_id: str = field(default_factory=_webhook_id)
    is_stripe_shared: bool = False
    """Whether every shop has the key of Stripe's API, so that each can send refunds."""

    @property
    def paypal_root_file(self) -> Path:
        """Return the root certificate of the stand-in for PayPal."""
        return self.folder / PAYPAL_ROOT

    def settings(self, shops: Sequence[str]) -> dict[str, str]:
        """Return the settings of payments; the accounts are the first shop's, if there is one."""
        return {
            "COMPTOIR_STRIPE_ENDPOINTS": json.dumps([self._stripe(shop, shops[0]) for shop in shops]),
            "COMPTOIR_STRIPE_API_URL": f"http://127.0.0.1:{self.stripe_port}",
            "COMPTOIR_PAYPAL_ENDPOINTS": json.dumps([self._paypal(shop) for shop in shops[:1]]),
            "COMPTOIR_PAYPAL_API_URL": f"http://127.0.0.1:{self.paypal_port}",
            "COMPTOIR_PAYPAL_STANDIN_HOST": f"127.0.0.1:{self.paypal_https_port}",
            "COMPTOIR_PAYPAL_STANDIN_ROOT_FILE": str(self.paypal_root_file),
        }

    def _stripe(self, shop: str, owner: str) -> dict[str, Any]:
        endpoint = {"slug": shop, "shop": shop, "secrets": [self.stripe_secret], "livemode": False}
        has_key = self.is_stripe_shared or shop == owner
        return {**endpoint, "api_key": self.stripe_key} if has_key else endpoint

    def _paypal(self, shop: str) -> dict[str, Any]:
        return {
            "slug": paypal_slug(shop),
            "shop": shop,
            "webhook_id": self.paypal_webhook_id,
            "client_id": self.paypal_client_id,
            "client_secret": self.paypal_client_secret,
            "livemode": False,
        }


def paypal_slug(shop: str) -> str:
    """Return the last part of the address to which PayPal posts; slugs of all providers differ."""
    return f"{shop}-paypal"
