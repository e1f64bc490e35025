"""How a route runs where its driver needs breaks; see `solvers.schedule`, which calls this.

The route leaves just in time for its first stop, then all goes as early as it can. Just in time is the latest
departure from which a drive without a break arrives when service can start if the route leaves as early as it
may. Where a break falls on that drive, it leaves later by what it would wait, and if speeds by the hour make it
arrive later then, as early as it may. Where speeds change, an earlier departure may bring a break at a better
hour, so who leaves earlier may arrive later: the departure is a rule here, not an optimum.
"""

from __future__ import annotations

from dataclasses import replace

from solvers.duty import Driving, DutyRule
from solvers.itinerary import Itinerary
from solvers.problem import Problem
from solvers.solution import Route
from solvers.speeds import NOISE
from solvers.time_dependent import Arcs, rounded

Breaks = list[tuple[float, int]]  # (start, length)


def run_with_breaks(
    problem: Problem, route: Route, plan: Itinerary, rule: DutyRule, at_once: bool = False
) -> tuple[tuple[list[float], list[float], list[float]], Breaks, float]:
    """Arrival, start and departure at each stop, the breaks on the way, and the driving in all; not rounded.

    `at_once` leaves as early as it may.
    """
    arcs, driver = Arcs(problem, route, plan), Driving(rule)
    last = len(plan.nodes) - 1
    arrival, start, departure = ([float(plan.leave)] for _ in range(3))
    breaks: Breaks = []
    for i in range(1, last):
        came, rests = driver.drive(arcs.rules[i - 1], arcs.lengths[i - 1], departure[-1])
        begun = plan.start(i, came)
        if i > 1 or at_once:
            driver.wait(begun - came)
        elif begun > came:
            leave, came, rests, driver = _just_in_time(arcs, rule, departure[0], came, begun)
            arrival[0] = start[0] = departure[0] = leave
        breaks += rests
        arrival.append(came)
        start.append(begun)
        departure.append(begun + plan.work[i])
    end, rests = driver.drive(arcs.rules[-1], arcs.lengths[-1], departure[-1])
    for times in (arrival, start, departure):
        times.append(end)
    return (arrival, start, departure), breaks + rests, driver.total


def latest_leave_with_breaks(
    problem: Problem, route: Route, plan: Itinerary, rule: DutyRule, most: int, limit: int
) -> tuple[int, int]:
    """The latest departure that misses no window nor the end, at `limit`, and the stop missed a unit later.

    `most` is the latest without breaks. Who leaves later waits less, and less of the waiting is a break, so that
    all is later (where speeds change with the hour mostly: there some departure before may miss a window).
    A route that holds from no departure has the one just before its earliest at most.
    """
    last = len(plan.nodes) - 1
    closes = [*plan.closes[:-1], limit]

    def missed(leave: int) -> int | None:
        (_, start, _), _, _ = run_with_breaks(problem, route, replace(plan, leave=leave), rule, at_once=True)
        late = (i for i, at in enumerate(rounded(start)) if i and at > closes[i])
        return next(late, None)

    holds, fails = plan.leave, most + 1
    if most < plan.leave or missed(plan.leave) is not None:
        holds = min(most, plan.leave - 1)
        fails = holds + 1
    while fails - holds > 1:
        middle = (holds + fails) // 2
        if missed(middle) is None:
            holds = middle
        else:
            fails = middle
    stop = missed(fails)
    return holds, last if stop is None else stop


def _just_in_time(
    arcs: Arcs, rule: DutyRule, leave: float, came: float, begun: float
) -> tuple[float, float, Breaks, Driving]:
    """The departure for a first service that starts at `begun`, the arrival, the breaks, and the clock there."""
    without = arcs.leave(0, begun)
    if begun - without <= rule.max_driving_between + NOISE:
        return without, begun, [], Driving(rule, begun - without, begun - without)
    for later in (leave + begun - came, leave):
        driver = Driving(rule)
        came, breaks = driver.drive(arcs.rules[0], arcs.lengths[0], later)
        if came <= begun + NOISE:
            break
    return later, min(came, begun), breaks, driver
