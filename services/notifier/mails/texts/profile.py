"""A shop's profile as its mails show it: the installation's settings, overlaid field by field by what staff changed."""

import base64

from contracts.notifier.mail_texts import ShopAppearance
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts.store import ProfileRow, appearance_of

CHANGEABLE = ("support_email", "support_phone", "opening_hours", "brand_colour", "signature")


def overlaid(shop: ShopProfile, changed: ProfileRow | None) -> ShopProfile:
    """Return the profile with the fields that staff changed; an empty one is shown no more."""
    if changed is None:
        return shop
    profile = with_appearance(shop, appearance_of(changed))
    logo = base64.b64encode(changed.logo).decode() if changed.logo else shop.logo
    return profile.model_copy(update={"logo": logo})


def with_appearance(shop: ShopProfile, appearance: ShopAppearance) -> ShopProfile:
    """Return the profile with these fields, where they are not None."""
    values = {name: getattr(appearance, name) for name in CHANGEABLE}
    return shop.model_copy(
        update={name: value or None for name, value in values.items() if value is not None}
    )
