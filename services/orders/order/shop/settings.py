"""Settings of a shop: how checkouts run, when orders complete, notifications, carriers.

Invariant: a setting that was never chosen, or that this version cannot read, has its default; so a new
setting needs no row and an old row blocks nothing. A changed setting applies to an order at its next fact,
never to all orders at once.
"""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.orders.order.refusal import Refusal
from services.orders.order.shop import store as setting_store
from services.orders.order.shop.cache import TtlCache
from services.orders.order.shop.names import folded

NUMBER = "{number}"
"""Placeholder for the tracking number in a carrier's URL."""
POSTCODE = "{postcode}"
"""Placeholder for the postal code of the delivery address in that URL, which pick-up networks require."""
_WORD = re.compile(r"[^\W_]+")
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
]


class Carrier(BaseModel):
    """A carrier and where its parcels can be followed: an http(s) URL with `{number}` and, if wanted, `{postcode}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Line
    tracking_url: Annotated[str, Field(max_length=900, pattern=r"^https?://[^\s\"'<>\\]+$")] | None = None

    @field_validator("tracking_url")
    @classmethod
    def _has_one_place(cls, url: str | None) -> str | None:
        if url is None:
            return url
        bare = url.replace(NUMBER, "").replace(POSTCODE, "")
        if url.count(NUMBER) != 1 or url.count(POSTCODE) > 1 or re.search(r"[{}]", bare):
            raise ValueError(
                f"write {NUMBER} once, where the tracking number goes, and {POSTCODE} at most once, where the postal "
                "code of the delivery address goes"
            )
        return url

    def follow(self, tracking_number: str | None, postal_code: str | None = None) -> str | None:
        """Return the tracking URL of this parcel; None when the number, or a postal code the URL needs, is
        missing.
        """
        number, code = (tracking_number or "").strip(), "".join((postal_code or "").split())
        if self.tracking_url is None or not number or (POSTCODE in self.tracking_url and not code):
            return None
        found = self.tracking_url.replace(NUMBER, quote(number, safe=""))
        return found.replace(POSTCODE, quote(code, safe=""))


class ShopSettings(BaseModel):
    """A shop's choices, each with its default. `notifies_customer`: whether forms tick it beforehand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkout_minutes: int = Field(default=5, ge=1, le=1440, strict=True)
    completes_alone: bool = Field(default=True, strict=True)
    places_paid_checkouts: bool = Field(default=True, strict=True)
    keeps_ip_days: int | None = Field(default=90, ge=1, le=3650, strict=True)
    carriers: tuple[Carrier, ...] = Field(default=(), max_length=100)
    notifies_customer: bool = Field(default=False, strict=True)

    @field_validator("carriers")
    @classmethod
    def _named_once(cls, carriers: tuple[Carrier, ...]) -> tuple[Carrier, ...]:
        names = [folded(carrier.name) for carrier in carriers]
        if len(set(names)) < len(names):
            raise ValueError("two carriers have the same name; keep one of them")
        return carriers

    def carrier(self, name: str) -> Carrier | None:
        """Return the carrier of this name, ignoring case and accents."""
        return next((one for one in self.carriers if folded(one.name) == folded(name)), None)

    def carrier_chosen(self, carrier: str | None, label: str | None) -> str:
        """Return the carrier a customer chose, in the shop's spelling.

        It is found by name, or in the text of a delivery option that names one of the shop's carriers.
        Without a choice: the shop's only carrier, else "".
        """
        if carrier:
            known = self.carrier(carrier)
            return known.name if known else carrier
        text = _words(label or "")
        named = [one.name for one in self.carriers if _words(one.name) in text]
        if named or len(self.carriers) != 1:
            return max(named, key=len, default="")
        return self.carriers[0].name


def _words(text: str) -> str:
    """Return the words of a text between spaces, for matching whole words."""
    return f" {' '.join(_WORD.findall(folded(text)))} "


class SettingUnusable(Refusal):
    """Error: a setting cannot have this value; `faults` by setting."""

    code = "setting_unusable"

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in faults.items())[:900])
        self.faults = dict(faults)


class CarrierUnknown(Refusal):
    """Error: the shop has no such carrier (any more)."""

    code = "carrier_unknown"
    status = 404

    def __init__(self, shop: str, name: str) -> None:
        super().__init__(f"shop {shop} has no carrier {name[:80]!r}; it may have been removed")


async def change_settings(unit: Unit, shop: str, changes: Mapping[str, Any], actor: str) -> ShopSettings:
    """Change some settings (names and values as in `ShopSettings`) and return all current settings.

    Raises SettingUnusable.
    """
    await setting_store.lock_settings(unit.connection, shop)
    before = await _read(unit.connection, shop)
    try:
        after = ShopSettings.model_validate({**before.model_dump(), **changes})
    except ValidationError as error:
        raise SettingUnusable(
            {
                ".".join(map(str, one["loc"])): one["msg"].removeprefix("Value error, ")
                for one in error.errors()
            }
        ) from None
    values = after.model_dump(mode="json", include=set(changes))
    rows = [
        setting_store.SettingRow(
            shop=shop, key=key, value=json.dumps(value), changed_by=actor, changed_at=unit.now
        )
        for key, value in sorted(values.items())
    ]
    await setting_store.write_settings(unit.connection, rows)
    unit.after_commit(lambda: settings_of.forget(unit.owner, shop))
    return after


async def put_carrier(
    unit: Unit, shop: str, name: str, tracking_url: str | None, actor: str, renames: str | None = None
) -> ShopSettings:
    """Add a carrier, or change the one of this name or of its former name (`renames`).

    Raises SettingUnusable, CarrierUnknown (when the shop has no carrier `renames`).
    """
    await setting_store.lock_settings(unit.connection, shop)
    known = await _read(unit.connection, shop)
    if renames is not None and known.carrier(renames) is None:
        raise CarrierUnknown(shop, renames)
    replaced = known.carrier(name if renames is None else renames)
    wanted = {"name": name, "tracking_url": tracking_url or None}
    carriers = [wanted if one is replaced else one.model_dump() for one in known.carriers]
    return await change_settings(
        unit, shop, {"carriers": carriers if replaced else [*carriers, wanted]}, actor
    )


async def remove_carrier(unit: Unit, shop: str, name: str, actor: str) -> ShopSettings:
    """Remove a carrier; shipments that name it are left unchanged. Raises CarrierUnknown."""
    await setting_store.lock_settings(unit.connection, shop)
    known = await _read(unit.connection, shop)
    removed = known.carrier(name)
    if removed is None:
        raise CarrierUnknown(shop, name)
    kept = [one.model_dump() for one in known.carriers if one is not removed]
    return await change_settings(unit, shop, {"carriers": kept}, actor)


def settings_from(values: Mapping[str, Any]) -> ShopSettings:
    """Return the settings from stored values; values that this version cannot read get their defaults."""
    usable: dict[str, Any] = {}
    for key in values.keys() & ShopSettings.model_fields.keys():
        try:
            ShopSettings.model_validate({key: values[key]})
        except ValidationError:
            continue
        usable[key] = values[key]
    return ShopSettings.model_validate(usable)


async def _read(connection: Connection, shop: str) -> ShopSettings:
    rows = await setting_store.read_settings(connection, shop)
    return settings_from({row["key"]: json.loads(row["value"]) for row in rows})


settings_of = TtlCache(_read)
"""Cache of a shop's settings, at most a few seconds old: `await settings_of.get(connection, owner, shop)`."""
