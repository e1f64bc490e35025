"""Warehouse models against results with closed forms; `python -m sim.warehouse validate` prints the table."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad

from logistics.sections import Shift
from logistics.storage import GoodsToPersonSection, PackingSection
from sim.random_streams import Streams
from sim.stats import Interval, mean_interval
from sim.validate import LEVEL, Check
from sim.warehouse.automated import Machine, dual_command_s, single_command_s
from sim.warehouse.goods_to_person import RobotWarehouse
from sim.warehouse.layout import AisleBlock, expected_aisles_visited
from sim.warehouse.motion import move_s
from sim.warehouse.orders import synthetic_orders
from sim.warehouse.routing import route
from sim.warehouse.slotting import fill_pods

REPLICATIONS = 20


def checks(seed: int, replications: int = REPLICATIONS) -> Iterator[Check]:
    """All checks; intervals over replications."""
    yield trapezoid(10.0, 1.5, 1.0)
    yield trapezoid(1.0, 1.5, 1.0)
    yield aisles_visited(seed, replications)
    yield from cranes(seed, replications)
    yield charging(seed, replications)


def trapezoid(distance_m: float, speed_mps: float, acceleration_mps2: float) -> Check:
    """The move time against the integral of ds / v(s), the fastest speed at which one can still stop."""

    def slowness(at_m: float) -> float:
        return 1.0 / min(speed_mps, math.sqrt(2 * acceleration_mps2 * min(at_m, distance_m - at_m)))

    # By halves: each has its singularity at an end, where the quadrature expects it.
    time = 2 * quad(slowness, 0.0, distance_m / 2, epsabs=1e-10, limit=500)[0]
    name = f"{distance_m:g} m at {speed_mps:g} m/s, {acceleration_mps2:g} m/s²"
    known = move_s(distance_m, speed_mps, acceleration_mps2)
    return Check("trapezoid move", f"{name}, s", known, Interval(time, 1e-4, LEVEL, 1))


def aisles_visited(seed: int, replications: int) -> Check:
    """Aisles that tours of random picks enter: M(1 − (1 − 1/M)^n)."""
    block, picks, tours = AisleBlock(12, 20), 9, 500
    means = []
    for replication in range(replications):
        draw = Streams(seed, replication).generator("theory", "picks")
        location = draw.integers(0, block.locations, picks * tours)
        tour = np.repeat(np.arange(tours), picks)
        means.append(float(route(block, location, tour, tours, "s_shape").aisles.mean()))
    known = expected_aisles_visited(block.aisles, picks)
    return Check("aisles", "entered by 9 picks in 12 aisles", known, mean_interval(means, LEVEL))


def cranes(seed: int, replications: int, jobs: int = 4_000) -> Iterator[Check]:
    """Mean cycles of a crane that is never idle, rack places uniform: Bozer & White's formulas."""
    length, height, speed, lift = 60.0, 10.0, 3.0, 0.75
    far, top = length / speed, height / lift
    shape, farthest = min(far, top) / max(far, top), max(far, top)
    means: dict[bool, list[float]] = {False: [], True: []}
    for replication in range(replications):
        for dual, values in means.items():
            draw = Streams(seed, replication).generator("theory", f"rack {dual}")
            x, y = draw.uniform(0, length, jobs), draw.uniform(0, height, jobs)
            storage = (np.arange(jobs) % 2 == 0) if dual else np.zeros(jobs, np.bool_)
            start, finish = np.empty(jobs), np.empty(jobs)
            crane = Machine(x, y, storage, start, finish, speed, lift, math.inf, 0.0, dual, jobs)
            crane.submit(np.arange(jobs), np.zeros(jobs))
            crane.advance(math.inf)
            values.append(float(finish.max()) / (jobs / 2 if dual else jobs))
    yield Check(
        "crane", "single command, s", single_command_s(shape, farthest), mean_interval(means[False], LEVEL)
    )
    yield Check(
        "crane", "dual command, s", dual_command_s(shape, farthest), mean_interval(means[True], LEVEL)
    )


def repair_queue(machines: int, servers: int, think_s: float, service_s: float) -> float:
    """Mean time at the servers of the closed queue M/M/`servers`//`machines`, with waiting (exact)."""
    weight = [1.0]
    for n in range(1, machines + 1):
        rate_in = (machines - n + 1) / think_s
        rate_out = min(n, servers) / service_s
        weight.append(weight[-1] * rate_in / rate_out)
    share = np.array(weight) / sum(weight)
    number = float(share @ np.arange(machines + 1))
    throughput = (machines - number) / think_s
    return number / throughput


def charging(seed: int, replications: int) -> Check:
    """Robots at too few chargers against the machine-interference model with the think time seen in the same
    run.

    Robots always have work, stations never hold them up; the time away from the chargers does not depend on
    how many others are there. The estimate is the ratio of simulated to predicted mean time at the chargers.
    """
    robots, chargers = 12, 2
    ratios = []
    for replication in range(replications):
        streams = Streams(seed, replication)
        orders = synthetic_orders(
            streams.generator("theory", "orders"), 12_000, 300, 1.0, 1.0, 0.0, window=(0.0, 1.0)
        )
        section = GoodsToPersonSection(
            pods=60,
            bins_per_pod=5,
            robots=robots,
            stations=12,
            station_queue=2,
            order_slots=12,
            chargers=chargers,
            drive_s=900.0,
            charge_s=400.0,
            charge_below=0.2,
            line_s=0.5,
            bin_units=10_000,
            cv=0.0,
            order_assignment="fcfs",
            pod_selection="random",
            pod_storage="random",
            task_allocation="longest_idle",
            shifts=[Shift.model_validate(["00:00", "24:00", 12])],
        )
        bins = fill_pods(
            section.pods, section.bins_per_pod, "random", orders, streams.generator("theory", "bins")
        )
        draw = streams.generator("theory", "charging")
        warehouse = RobotWarehouse(
            section,
            PackingSection(),
            orders,
            bins,
            np.zeros(300, np.int64),
            streams,
            charge_factor=draw.exponential,
        )
        warehouse.submit(np.arange(len(orders)))
        warehouse.advance(24 * 3600.0)
        asked, start, finish = warehouse.result().stays["charging"]
        warm = asked > 2 * 3600.0
        away = warehouse.fleet.think_s(2 * 3600.0)
        predicted = repair_queue(robots, chargers, away, float((finish - start)[warm].mean()))
        ratios.append(float((finish - asked)[warm].mean()) / predicted)
    return Check("charging", "time at chargers, simulated / closed queue", 1.0, mean_interval(ratios, LEVEL))
