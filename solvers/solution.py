"""A solution: which vehicle type drives which visits in which order. Costs are the checker's business."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Halt:
    """A stop at depot `place`, ahead of the route's visit at position `before`: to end one trip and begin the
    next or, with `charge`, to charge the battery on the way. How much is charged, the schedule decides."""

    before: int
    place: int
    charge: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What the route's visit at `position` gets, by load dimension, where it does not get all of its demand."""

    position: int
    amount: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One vehicle's visits in order. `visits` are visit numbers (0-based), depots are implied by the type.

    `halts` are in the order in which they are made; those that do not charge cut the route into trips. `parts`
    are of visits that other routes or trips serve as well; visits without one get all that they demand.
    """

    vehicle_type: int
    visits: tuple[int, ...]
    halts: tuple[Halt, ...] = ()
    parts: tuple[Part, ...] = ()

    def __len__(self) -> int:
        return len(self.visits)

    def reloads(self) -> tuple[Halt, ...]:
        """The halts between trips."""
        return tuple(h for h in self.halts if not h.charge)

    def trips(self) -> tuple[tuple[int, ...], ...]:
        """The visits of each trip."""
        ends = (0, *(h.before for h in self.reloads()), len(self.visits))
        return tuple(self.visits[a:b] for a, b in pairwise(ends))


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
