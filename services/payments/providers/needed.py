"""Events an endpoint must send for a complete ledger: those that never arrived, and those not subscribed to. Pure.

Each provider lists the required events, each with the types whose arrival proves that it should have arrived
as well: a missing event is reported only if it was due, since a shop that never refunded gets no refund's
event.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.payments.providers.port import EVERY_EVENT

Needed = Mapping[str, tuple[str, ...]]


def looked_up(needed: Needed) -> list[str]:
    """Return all types whose last arrival must be looked up."""
    return sorted({*needed, *(proof for proofs in needed.values() for proof in proofs)})


def missing(needed: Needed, last: Mapping[str, datetime]) -> list[str]:
    """Return the required types that never arrived although they were due. `last`: the last arrival of each
    type that did.
    """
    return [
        one for one, proofs in needed.items() if one not in last and any(proof in last for proof in proofs)
    ]


def not_subscribed(needed: Needed, enabled: Collection[str]) -> list[str]:
    """Return the required types that the endpoint is not subscribed to."""
    return [] if EVERY_EVENT in enabled else [one for one in needed if one not in enabled]
