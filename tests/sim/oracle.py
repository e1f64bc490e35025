"""The station chain once more, as one SimPy process per parcel: slow, plain, sharing no code with the kernel."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import simpy


@dataclass(slots=True)
class Desk:
    """A station: capacity steps (time, servers), the way to the next station, and who is there now.

    Several things can fall on one instant. SimPy takes events of one instant in order of priority; completions,
    arrivals and capacity changes have NORMAL (1), decisions come after all of these, upstream stations first.
    """

    env: simpy.Environment
    stage: int
    steps: Sequence[tuple[float, int]]
    transfer_s: float
    level: int = 0
    busy: int = 0
    waiting: list[tuple[int, float, int, simpy.Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for at, level in self.steps:
            self.env.process(self._change(at, level))

    def _change(self, at: float, level: int) -> Generator[simpy.Event]:
        yield self.env.timeout(at)
        self.level = level
        self.decide_later()

    def decide_later(self) -> None:
        event = simpy.Event(self.env)
        event.callbacks.append(self._decide)
        event._ok, event._value = True, None
        self.env.schedule(event, priority=10 + self.stage)

    def _decide(self, _: simpy.Event) -> None:
        while self.waiting and self.busy < self.level:
            first = min(self.waiting, key=lambda entry: entry[:3])
            self.waiting.remove(first)
            self.busy += 1
            first[3].succeed()

    def request(self, priority: int, row: int) -> simpy.Event:
        event = simpy.Event(self.env)
        self.waiting.append((priority, self.env.now, row, event))
        self.decide_later()
        return event

    def release(self) -> None:
        self.busy -= 1
        self.decide_later()


def run(
    steps: Sequence[Sequence[tuple[float, int]]],
    transfer_s: Sequence[float],
    jobs: Sequence[tuple[int, float, int, int]],
    service_s: Callable[[int, int], float],
    until_s: float,
) -> dict[tuple[int, int], tuple[float, float, float]]:
    """{(stage, row): (arrive, start, finish)} of all starts up to `until_s` inclusive.

    `steps[k]` is station k's capacity, `jobs` holds (row, arrival, priority, first stage), rows being distinct,
    and `service_s(stage, row)` the service times.
    """
    env = simpy.Environment()
    desks = [Desk(env, stage, steps[stage], transfer_s[stage]) for stage in range(len(steps))]
    times: dict[tuple[int, int], tuple[float, float, float]] = {}

    def parcel(row: int, arrive: float, priority: int, first: int) -> Generator[simpy.Event]:
        yield env.timeout(arrive)
        for desk in desks[first:]:
            arrived = env.now
            yield desk.request(priority, row)
            started = env.now
            service = service_s(desk.stage, row)
            times[desk.stage, row] = (arrived, started, started + service)
            yield env.timeout(service)
            desk.release()
            yield env.timeout(desk.transfer_s)

    for job in jobs:
        env.process(parcel(*job))
    # `run(until=t)` stops before the events of t itself.
    while env.peek() <= until_s:
        env.step()
    return times
