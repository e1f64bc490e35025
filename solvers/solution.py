"""A solution: which vehicle type drives which visits in which order. Costs are the checker's business."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's visits in order. `visits` are visit numbers (0-based), depots are implied by the type."""

    vehicle_type: int
    visits: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.visits)


@dataclass(frozen=True, slots=True)
class Solution:
    """Routes without empty ones. Visits on no route are unserved."""

    routes: tuple[Route, ...] = ()

    @classmethod
    def of(cls, routes: Iterable[Sequence[int] | Route], vehicle_type: int = 0) -> Solution:
        """Solution from routes or plain visit sequences (which get `vehicle_type`), without empty ones."""
        made = (r if isinstance(r, Route) else Route(vehicle_type, tuple(int(v) for v in r)) for r in routes)
        return cls(tuple(r for r in made if r.visits))

    def served(self) -> set[int]:
        return {v for route in self.routes for v in route.visits}

    def unserved(self, num_visits: int) -> tuple[int, ...]:
        """Visits on no route, ascending."""
        served = self.served()
        return tuple(v for v in range(num_visits) if v not in served)
