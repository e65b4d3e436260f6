"""What may be shown of the endpoints of a shop: everything except the secrets themselves."""

from collections.abc import Sequence
from typing import Any

from services.payments.endpoints.loading import Kept, assembled
from services.payments.endpoints.store import EndpointRow, SecretRow
from services.payments.providers.port import Endpoint
from services.payments.settings import PaymentsSettings


def listed(settings: PaymentsSettings, kept: Kept, shop: str) -> list[dict[str, Any]]:
    """Return the shop's endpoints: those of the environment, then the stored ones, with the reason for which
    one is not active.
    """
    own = [
        _of_environment(settings, name, endpoint)
        for name, endpoints in settings.own_endpoints.items()
        for endpoint in endpoints
        if endpoint.shop == shop
    ]
    faults = assembled(settings, kept).faults
    stored = [
        {
            **_of_database(row, kept.secrets[row.slug]),
            "fault": faults[row.slug].model_dump(exclude_none=True) if row.slug in faults else None,
        }
        for row in kept.endpoints
        if row.shop == shop
    ]
    return [*own, *stored]


def forms(settings: PaymentsSettings) -> list[dict[str, Any]]:
    """Return what the endpoints of each provider consist of, and the events they need."""
    return [
        {
            "provider": name,
            "title": settings.providers[name].title,
            "setting": settings.providers[name].setting,
            "texts": [{"name": text, "required": needed} for text, needed in form.texts.items()],
            "secrets": [
                {"name": secret, "required": rule.is_required, "rotates": rule.rotates}
                for secret, rule in form.secrets.items()
            ],
            "needed": list(settings.providers[name].needed),
        }
        for name, form in settings.endpoint_forms.items()
    ]


def _of_environment(settings: PaymentsSettings, provider: str, endpoint: Endpoint) -> dict[str, Any]:
    form = settings.endpoint_forms[provider]
    return {
        "provider": provider,
        "slug": endpoint.slug,
        "shop": endpoint.shop,
        "source": "environment",
        "livemode": endpoint.livemode,
        "texts": {name: getattr(endpoint, name) or "" for name in form.texts},
        "secrets": [],
        "set": form.set_secrets(endpoint),
        "revision": 0,
        "fault": None,
    }


def _of_database(row: EndpointRow, secrets: Sequence[SecretRow]) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "slug": row.slug,
        "shop": row.shop,
        "source": "back_office",
        "livemode": row.is_live,
        "texts": dict(row.texts),
        "secrets": [
            {
                "id": str(one.id),
                "name": one.name,
                "ends_in": one.ends_in,
                "set_at": one.set_at.isoformat(),
                "set_by": one.set_by,
                "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            }
            for one in secrets
        ],
        "set": sorted({one.name for one in secrets}),
        "revision": row.revision,
    }
