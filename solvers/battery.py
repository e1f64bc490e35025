"""Batteries and charging on the way: how much a vehicle charges at the stations that its plan names.

A plan says where a vehicle charges, the schedule says how much: as little as brings it to its next station, or
to its end, with the reserve untouched. With one rate of charging for a vehicle no other amounts bring it to any
of its stops earlier, since what is charged later than it could be delays fewer stops, and the sum is least.
Charging is linear (Schneider, Stenger and Goeke 2014) and partial (Keskin and Çatay 2016).

>>> battery = Battery(capacity=10, consumption=1, rate=2, reserve=1)
>>> charge_plan(battery, [0, 6, 2, 7], [False, False, True, False])  # a visit, a station, the end
Charging(energy=(10, 4, 2, 1), charged=(0, 0, 6, 0), times=(0, 0, 3, 0))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solvers.travel import IntArray


@dataclass(frozen=True, slots=True)
class Battery:
    """What drives the vehicles of one type; energy in the problem's own unit, such as joule.

    capacity      when full
    consumption   energy per unit of distance
    rate          energy charged per unit of time
    initial       at the departure of the route; -1 for full
    reserve       never less than this is left on arrival anywhere
    cost          per unit of energy charged on the way
    """

    capacity: int
    consumption: int
    rate: int
    initial: int = -1
    reserve: int = 0
    cost: int = 0

    @property
    def at_start(self) -> int:
        return self.capacity if self.initial < 0 else self.initial

    def faults(self) -> list[str]:
        """What is wrong with the battery."""
        found = []
        if self.capacity <= 0 or self.rate <= 0:
            found.append("capacity and rate must be more than 0")
        if self.consumption < 0 or self.cost < 0:
            found.append("consumption and cost must be 0 or more")
        if not 0 <= self.reserve <= self.at_start <= self.capacity:
            found.append("the reserve, the charge at the start and the capacity must not decrease")
        return found


@dataclass(frozen=True, slots=True)
class Charging:
    """By stop: energy on board on arrival, energy charged there, and the time that it takes."""

    energy: tuple[int, ...]
    charged: tuple[int, ...]
    times: tuple[int, ...]


def charge_plan(battery: Battery, used: Sequence[int], charges: Sequence[bool]) -> Charging:
    """The charging along a route: `used` is the energy of the leg to each stop, `charges` tells the stations.

    A vehicle charges for whole units of time, and no more than fits. Where even a full battery does not suffice,
    the energy on arrival falls below the reserve by what is lacking.
    """
    energy, charged, times = [], [], []
    level, ahead = battery.at_start, _until_next_charge(used, charges)
    for stop, (leg, charging) in enumerate(zip(used, charges, strict=True)):
        level -= leg
        energy.append(level)
        time = max(0, -(-(battery.reserve + ahead[stop] - level) // battery.rate)) if charging else 0
        gained = min(time * battery.rate, battery.capacity - level)
        if charging:
            time = min(time, -(-gained // battery.rate))
        level += gained if charging else 0
        charged.append(gained if charging else 0)
        times.append(time)
    return Charging(tuple(energy), tuple(charged), tuple(times))


def _until_next_charge(used: Sequence[int], charges: Sequence[bool]) -> list[int]:
    """Energy from each stop to the next station, or to the end."""
    ahead = [0] * len(used)
    for stop in range(len(used) - 2, -1, -1):
        ahead[stop] = used[stop + 1] + (0 if charges[stop + 1] else ahead[stop + 1])
    return ahead


def battery_of(table: IntArray | None, kind: int) -> Battery | None:
    """The battery of a vehicle type, whose row is all zeros where it has none."""
    if table is None or not table[kind, 0]:
        return None
    return Battery(*(int(x) for x in table[kind]))
