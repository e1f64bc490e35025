"""The latest orders of a run: where to begin asking why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.report.source import Source

WORST = 20


@dataclass(frozen=True, slots=True)
class LateOrder:
    """An order that came late: by how many hours, its state, what made it late."""

    order: str
    service: str
    station: str
    state: str
    late_h: float
    late_stage: str


def latest_orders(source: Source, count: int = WORST) -> list[LateOrder]:
    """The parcels of a run that are latest, undelivered ones counted until the end of the run."""
    rows = source.rows(
        """
        SELECT "order", service, station, state, (coalesce(CASE WHEN state <> 'open' THEN final_s END,
               (SELECT max(time_s) FROM moves)) - promise_s) / 3600 AS late_h, late_stage
        FROM parcels WHERE late_stage IS NOT NULL
        ORDER BY late_h DESC, parcel LIMIT ?
        """,
        count,
    )
    return [LateOrder(*row) for row in rows]
