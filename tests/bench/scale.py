"""How much the bench does: six minutes and the seeding of a million orders, or a smoke run that proves it all works.

`BENCH_SECONDS` lengthens the whole life (60 for the full measurement), `BENCH_EVENTS` the catch-up (100000);
`BENCH_ORDERS` makes the list smaller.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Counts and durations of one run."""

    intake_rounds: int = 3
    intake_orders: int = 4_000
    catch_up_events: int = 20_000
    webhook_connections: int = 48
    webhook_seconds: float = 6.0
    webhook_steady_per_second: float = 300.0
    webhook_steady_seconds: float = 10.0
    invoices: int = 2_000
    invoice_pdfs: int = 300
    mailed_orders: int = 2_000
    lives_at_once: int = 160
    life_warm_up_seconds: float = 4.0
    life_seconds: float = 20.0
    floor_lives: int = 3_000
    most_replicas: int = 4
    replicas_seconds: float = 15.0
    restarts: int = 8
    latency_calm_per_second: float = 10.0
    latency_per_second: float = 50.0
    latency_seconds: float = 20.0
    list_orders: int = 1_000_000
    list_queries: int = 400


SMOKE = Scale(
    intake_rounds=1,
    intake_orders=400,
    catch_up_events=400,
    webhook_connections=8,
    webhook_seconds=0.5,
    webhook_steady_per_second=100.0,
    webhook_steady_seconds=0.5,
    invoices=40,
    invoice_pdfs=10,
    mailed_orders=60,
    lives_at_once=20,
    life_warm_up_seconds=0.5,
    life_seconds=2.0,
    floor_lives=300,
    most_replicas=2,
    replicas_seconds=2.0,
    restarts=2,
    latency_calm_per_second=5.0,
    latency_per_second=20.0,
    latency_seconds=1.0,
    list_orders=2_000,
    list_queries=40,
)


def full_scale(environment: Mapping[str, str] = os.environ) -> Scale:
    """The scale of `make bench`, lengthened by the environment."""
    return Scale(
        life_seconds=float(environment.get("BENCH_SECONDS", Scale().life_seconds)),
        catch_up_events=int(environment.get("BENCH_EVENTS", Scale().catch_up_events)),
        list_orders=int(environment.get("BENCH_ORDERS", Scale().list_orders)),
    )
