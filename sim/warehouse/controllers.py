"""Decisions inside a goods-to-person warehouse: which order, which pod, which place, which robot.

Each controller is built with a random generator of its own and sees the floor as arrays
(`sim.warehouse.pod_floor`). It must not change them.
"""

# ruff: noqa: ARG002 - controllers of one kind share one signature

from __future__ import annotations

from typing import Protocol

import numpy as np

from sim.warehouse.kernels import pods as kernel
from sim.warehouse.orders import IntArray
from sim.warehouse.pod_floor import PodFloor


class OrderAssignment(Protocol):
    """Which of the waiting orders (oldest first, never empty) goes to which of the stations with free slots (most
    of them first, never empty): station, order."""

    def choose(self, floor: PodFloor, stations: IntArray, orders: IntArray) -> tuple[int, int]: ...


class PodSelection(Protocol):
    """Which stored pod goes to a pick station, or -1. `lines[i]` lines are served by `pods[i]` (never empty)."""

    def choose(self, floor: PodFloor, station: int, pods: IntArray, lines: IntArray) -> int: ...


class PodStorage(Protocol):
    """Which free place a pod returns to from a station (numbered through pick and replenishment stations)."""

    def choose(self, floor: PodFloor, pod: int, station: int, places: IntArray) -> int: ...


class TaskAllocation(Protocol):
    """Which idle robot (longest idle first, never empty) fetches a pod."""

    def choose(self, floor: PodFloor, pod: int, robots: IntArray) -> int: ...


class _Controller:
    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator


class OldestOrder(_Controller):
    """First come, first served, by the station with most free slots."""

    def choose(self, floor: PodFloor, stations: IntArray, orders: IntArray) -> tuple[int, int]:
        return int(stations[0]), int(orders[0])


class RandomOrder(_Controller):
    """Any order alike, by the station with most free slots."""

    def choose(self, floor: PodFloor, stations: IntArray, orders: IntArray) -> tuple[int, int]:
        return int(stations[0]), int(self._generator.choice(orders))


class MatchingOrder(_Controller):
    """The order and the station with the largest share of its lines on pods at the station or on their way.

    All of an order on the way is `worth` so many lines that its station has left beyond another's: work stays even.
    Ties go to the oldest order, then to the station with most free slots. One that has waited `patience_s` goes
    first, so that none waits for ever. Source: the rule "pod match" of Merschformann et al. 2019.
    """

    patience_s = 3_600.0
    worth = 12.0

    def choose(self, floor: PodFloor, stations: IntArray, orders: IntArray) -> tuple[int, int]:
        if floor.now_s - floor.orders.release_s[orders[0]] > self.patience_s:
            orders = orders[:1]
        left = floor.lines_left[stations]
        share = floor.matching_lines(orders)[:, stations] / floor.lines_of_order[orders, None]
        order, station = divmod(int(np.argmax(share - (left - left.min()) / self.worth)), stations.size)
        return int(stations[station]), int(orders[order])


class RandomPod(_Controller):
    """Any pod that serves a line alike."""

    def choose(self, floor: PodFloor, station: int, pods: IntArray, lines: IntArray) -> int:
        return int(self._generator.choice(pods))


class NearestPod(_Controller):
    """The pod nearest to the station that serves a line."""

    def choose(self, floor: PodFloor, station: int, pods: IntArray, lines: IntArray) -> int:
        away = floor.place_to_station_m[floor.pod_place[pods], station]
        return int(pods[int(np.argmin(away))])


class PileOnPod(_Controller):
    """The pod that serves the most lines of the station; ties to the nearest."""

    def choose(self, floor: PodFloor, station: int, pods: IntArray, lines: IntArray) -> int:
        return int(kernel.most_lines(pods, lines, floor.pod_place, floor.place_to_station_m, station))


class RandomPlace(_Controller):
    """Any free place alike."""

    def choose(self, floor: PodFloor, pod: int, station: int, places: IntArray) -> int:
        return int(self._generator.choice(places))


class NearestPlace(_Controller):
    """The free place nearest to the station."""

    def choose(self, floor: PodFloor, pod: int, station: int, places: IntArray) -> int:
        return int(kernel.nearest_place(places, floor.place_to_station_m, station))


class TurnoverPlace(_Controller):
    """The free place whose rank by distance to the stations is nearest to the pod's rank by visits so far."""

    def choose(self, floor: PodFloor, pod: int, station: int, places: IntArray) -> int:
        busier = int((floor.pod_visits > floor.pod_visits[pod]).sum())
        wanted = busier * floor.place_rank.size / floor.pod_visits.size
        return int(places[int(np.argmin(np.abs(floor.place_rank[places] - wanted)))])


class NearestRobot(_Controller):
    """The robot nearest to the pod."""

    def choose(self, floor: PodFloor, pod: int, robots: IntArray) -> int:
        at = floor.place_xy[floor.pod_place[pod]]
        return int(kernel.nearest_robot(robots, floor.robot_xy, at))


class LongestIdleRobot(_Controller):
    """The robot that has been idle longest."""

    def choose(self, floor: PodFloor, pod: int, robots: IntArray) -> int:
        return int(robots[0])
