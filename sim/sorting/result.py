"""What a sorter leaves: times of every parcel, stays at stations, key figures, traffic, trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.sorting.disruptions import Note
from sim.sorting.parcels import HOUR_S, NONE, FloatArray, IntArray
from sim.stats import littles_law

STATES = (
    "idle",
    "called",
    "in_line",
    "loading",
    "carrying",
    "blocked",
    "going_round",
    "tipping",
    "to_charger",
    "waiting_for_charger",
    "charging",
    "stopped",
)
"""What a robot does; their numbers are those of `robot_floor`."""

Stays = tuple[FloatArray, FloatArray, FloatArray]
"""When each came, when its service began, when that ended."""


@dataclass(slots=True, eq=False)
class ParcelTimes:
    """Parcels as rows: seconds (NaN: not yet), counts and marks; `returned` counts missorts that came anew.

    `load_s` is when loading last began; `refusals` how often a chute did not take it; `blocked_s` how long
    its robot stood before a chute; `chute` where it last fell.
    """

    arrive_s: FloatArray
    load_s: FloatArray
    sorted_s: FloatArray
    blocked_s: FloatArray
    chute: IntArray
    refusals: IntArray
    missorts: IntArray
    wrong: NDArray[np.bool_]
    damaged: NDArray[np.bool_]
    returned: int = 0

    @classmethod
    def of(cls, n: int) -> ParcelTimes:
        """Parcels that have not come."""
        return cls(
            arrive_s=np.full(n, np.nan),
            load_s=np.full(n, np.nan),
            sorted_s=np.full(n, np.nan),
            blocked_s=np.zeros(n),
            chute=np.full(n, NONE, np.int64),
            refusals=np.zeros(n, np.int64),
            missorts=np.zeros(n, np.int64),
            wrong=np.zeros(n, np.bool_),
            damaged=np.zeros(n, np.bool_),
        )


@dataclass(slots=True, eq=False)
class SortingResult:
    """`figures` are those of the kind of sorter; `traffic` and `waited` int64 (rows, columns) count robots that
    drove into a cell and steps waited there, both None for a cross-belt."""

    times: ParcelTimes
    stays: dict[str, Stays]
    trace: list[Note]
    end_s: float
    missort_minor: float
    damage_minor: float
    figures: dict[str, float] = field(default_factory=dict)
    traffic: NDArray[np.int64] | None = None
    waited: NDArray[np.int64] | None = None

    @classmethod
    def of_robots(cls, floor: Any) -> SortingResult:
        """Of a `RobotSorter`, at any moment."""
        inductions, charging, chutes = floor.inductions, floor.charging, floor.chutes
        grid = floor.layout.grid
        stays = {f"induction {k}": inductions.stays_of(k) for k in range(len(inductions.queues))}
        if charging.visits:
            stays["charging"] = charging.stays()
        times, errors = floor.times, floor.section.errors
        span = max(floor.now_s, 1e-9)
        robots, steps = len(floor.state), max(floor.steps, 1)
        share = 100.0 * floor.state_steps / (robots * steps)
        named = dict(zip(STATES, share.tolist(), strict=True))
        number = len(chutes.inside)
        figures = {
            "robot_busy_pct": 100.0
            - named["idle"]
            - named["in_line"]
            - named["charging"]
            - named["stopped"]
            - named["waiting_for_charger"],
            "robot_waiting_pct": named["in_line"] + named["blocked"] + named["waiting_for_charger"],
            **{f"robots_{name}_pct": value for name, value in named.items()},
            "utilisation_inductions_pct": 100.0
            * float(inductions.busy_s.sum())
            / (span * len(inductions.queues)),
            "queue_peak": float(inductions.peak),
            "utilisation_chutes_pct": 100.0 * floor.own.tip_s * float(chutes.taken.sum()) / (span * number),
            "chutes_closed_pct": 100.0 * chutes.closed_until(floor.now_s) / (span * number),
            "exchanges": float(chutes.exchanges.sum()),
            "cells_per_parcel": float(floor.traffic.sum()) / max(1.0, float(chutes.taken.sum())),
            "robot_stops": float(sum(note.what == "robot stopped" for note in floor.trace)),
        }
        shape = (grid.height, grid.width)
        return cls(
            times,
            stays,
            list(floor.trace),
            floor.now_s,
            errors.missort_minor,
            errors.damage_minor,
            figures,
            floor.traffic.reshape(shape),
            floor.waited.reshape(shape),
        )

    @property
    def open_parcels(self) -> int:
        """Parcels that were told of and are not sorted."""
        return int((~np.isnan(self.times.arrive_s) & np.isnan(self.times.sorted_s)).sum())

    def sort_times(self, from_s: float = 0.0, to_s: float = np.inf) -> FloatArray:
        """Seconds from arrival to the right chute, of the sorted parcels that came in [from, to)."""
        times = self.times
        chosen = (times.arrive_s >= from_s) & (times.arrive_s < to_s) & ~np.isnan(times.sorted_s)
        spent: FloatArray = (times.sorted_s - times.arrive_s)[chosen]
        return spent

    def throughput_per_h(self, from_s: float, to_s: float) -> float:
        """Parcels an hour that fell into their chutes in [from, to)."""
        done = self.times.sorted_s
        return float(((done >= from_s) & (done < to_s)).sum()) * HOUR_S / (to_s - from_s)

    def kpis(self) -> dict[str, float]:
        """Key figures of the whole run."""
        times = self.times
        came = ~np.isnan(times.arrive_s)
        done = ~np.isnan(times.sorted_s)
        spent = self.sort_times()
        quantile = np.quantile(spent, (0.5, 0.95, 0.99)) if spent.size else (np.nan,) * 3
        span = (np.nanmax(times.sorted_s) - np.nanmin(times.arrive_s)) / HOUR_S if done.any() else np.nan
        missorts, damaged = float(times.missorts.sum()), float(times.damaged.sum())
        waits = (times.load_s - times.arrive_s)[done & (times.missorts == 0)]
        return {
            "parcels": float(came.sum()),
            "sorted": float(done.sum()),
            "open": float(self.open_parcels),
            "parcels_per_h": float(done.sum()) / span,
            "sort_p50_s": float(quantile[0]),
            "sort_p95_s": float(quantile[1]),
            "sort_p99_s": float(quantile[2]),
            "wait_for_induction_mean_s": float(waits.mean()) if waits.size else np.nan,
            "recirculations": float(times.refusals.sum()),
            "recirculated_pct": 100.0 * float((times.refusals > 0).sum()) / max(1.0, float(came.sum())),
            "blocked_mean_s": float(times.blocked_s[came].mean()) if came.any() else np.nan,
            "missorts": missorts,
            "missort_cost_minor": missorts * self.missort_minor,
            "damaged": damaged,
            "damage_cost_minor": damaged * self.damage_minor,
        } | self.figures

    def littles_law_error(self) -> float:
        """Largest relative error of L = λW over all stations."""
        errors = [0.0]
        for came, _, end in self.stays.values():
            done = ~np.isnan(end)
            if done.any() and end[done].max() > came[done].min():
                errors.append(littles_law(came[done], end[done]).relative_error)
        return max(errors)


def blanked(values: NDArray[np.int64], free: NDArray[np.bool_]) -> list[list[int | None]]:
    """Rows of a floor's cells, None where nothing drives."""
    return [
        [int(value) if cell else None for value, cell in zip(row, cells, strict=True)]
        for row, cells in zip(values.tolist(), free.tolist(), strict=True)
    ]
