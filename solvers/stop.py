"""When to stop. A stop is an immutable description; each run asks it for a fresh monitor.

`MaxRuntime(60) | MaxIterations(10_000)` stops at whichever comes first, `&` when both are reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from solvers import clock


@dataclass(frozen=True, slots=True)
class Progress:
    """What a solver tells its monitor: iterations done, iterations since the last improvement, best cost."""

    iterations: int
    since_improvement: int
    best_cost: int | None


Monitor = Callable[[Progress], bool]


class Stop(Protocol):
    """A stop criterion. The bounds let compiled loops run long batches without overshooting."""

    def monitor(self) -> Monitor:
        """Start the clock; the result says True when the run should end."""
        ...

    @property
    def max_runtime_s(self) -> float | None:
        """Seconds after which the run surely ends, if bounded."""
        ...

    @property
    def max_iterations(self) -> int | None:
        """Iterations after which the run surely ends, if bounded."""
        ...


class _Composable:
    def __or__(self, other: Stop) -> Stop:
        return FirstOf((self, other))  # type: ignore[arg-type]

    def __and__(self, other: Stop) -> Stop:
        return AllOf((self, other))  # type: ignore[arg-type]

    @property
    def max_runtime_s(self) -> float | None:
        return None

    @property
    def max_iterations(self) -> int | None:
        return None


@dataclass(frozen=True)
class MaxRuntime(_Composable):
    """Stop after `seconds` of wall time."""

    seconds: float

    def monitor(self) -> Monitor:
        end = clock.seconds() + self.seconds
        return lambda _: clock.seconds() >= end

    @property
    def max_runtime_s(self) -> float | None:
        return self.seconds


@dataclass(frozen=True)
class MaxIterations(_Composable):
    """Stop after a number of the solver's own iterations; with a fixed seed the result is reproducible."""

    iterations: int

    def monitor(self) -> Monitor:
        return lambda p: p.iterations >= self.iterations

    @property
    def max_iterations(self) -> int | None:
        return self.iterations


@dataclass(frozen=True)
class NoImprovement(_Composable):
    """Stop after `iterations` iterations without a new best."""

    iterations: int

    def monitor(self) -> Monitor:
        return lambda p: p.since_improvement >= self.iterations


@dataclass(frozen=True)
class TargetCost(_Composable):
    """Stop once the best cost is at most `cost`."""

    cost: int

    def monitor(self) -> Monitor:
        return lambda p: p.best_cost is not None and p.best_cost <= self.cost


def _least(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return min(known) if known else None


@dataclass(frozen=True)
class FirstOf(_Composable):
    """Stop as soon as one of `stops` says so."""

    stops: tuple[Stop, ...]

    def monitor(self) -> Monitor:
        monitors = [s.monitor() for s in self.stops]
        return lambda p: any(m(p) for m in monitors)

    @property
    def max_runtime_s(self) -> float | None:
        return _least([s.max_runtime_s for s in self.stops])

    @property
    def max_iterations(self) -> int | None:
        least = _least([s.max_iterations for s in self.stops])
        return None if least is None else int(least)


@dataclass(frozen=True)
class AllOf(_Composable):
    """Stop when every one of `stops` says so; bounded only if all are."""

    stops: tuple[Stop, ...]

    def monitor(self) -> Monitor:
        monitors = [s.monitor() for s in self.stops]
        return lambda p: all(m(p) for m in monitors)

    @property
    def max_runtime_s(self) -> float | None:
        bounds = [s.max_runtime_s for s in self.stops]
        return None if any(b is None for b in bounds) else max(b for b in bounds if b is not None)

    @property
    def max_iterations(self) -> int | None:
        bounds = [s.max_iterations for s in self.stops]
        return None if any(b is None for b in bounds) else max(b for b in bounds if b is not None)


class Started(_Composable):
    """`stop` with its clock running from now on: what a solver does before it searches counts as well."""

    def __init__(self, stop: Stop) -> None:
        self._stop, self._monitor = stop, stop.monitor()

    def monitor(self) -> Monitor:
        return self._monitor

    @property
    def max_runtime_s(self) -> float | None:
        return self._stop.max_runtime_s

    @property
    def max_iterations(self) -> int | None:
        return self._stop.max_iterations


class Uncounted(_Composable):
    """What `stop` says of time, cost and the like to work whose iterations are not those that it counts."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def monitor(self) -> Monitor:
        monitor = self._stop.monitor()
        return lambda p: monitor(Progress(0, 0, p.best_cost))

    @property
    def max_runtime_s(self) -> float | None:
        return self._stop.max_runtime_s


def time_ends_first(stop: Stop, iterations: int, spent_s: float) -> bool:
    """Whether time ends the run well before its bound on iterations does, if it goes on as `iterations` did in
    `spent_s`. Where it does not, a search goes by its iterations, so that the run repeats."""
    limit, seconds = stop.max_iterations, stop.max_runtime_s
    return limit is not None and seconds is not None and spent_s * limit > 1.5 * seconds * iterations


def first_of(
    time_limit_s: float | None = None, iterations: int | None = None, no_improvement: int | None = None
) -> Stop:
    """Stop at whichever of the bounds given comes first; raises ValueError where none is given."""
    stops: list[Stop] = []
    if time_limit_s is not None:
        stops.append(MaxRuntime(time_limit_s))
    if iterations is not None:
        stops.append(MaxIterations(iterations))
    if no_improvement is not None:
        stops.append(NoImprovement(no_improvement))
    if not stops:
        raise ValueError("a run needs a stop")
    return stops[0] if len(stops) == 1 else FirstOf(tuple(stops))
