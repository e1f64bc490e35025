"""Sorters against results with closed forms; `python -m sim.sorting theory` prints the table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from logistics.sorting import (
    ChutesSection,
    CrossBeltSection,
    ErrorsSection,
    SortingSection,
    SortRobotsSection,
)
from sim.random_streams import Streams
from sim.sorting.belt import CrossBelt, throughput_bound
from sim.sorting.disruptions import Disruption
from sim.sorting.parcels import HOUR_S, SortParcels, allot_chutes, steady_arrivals
from sim.sorting.robot_floor import RobotSorter
from sim.stats import Interval, mean_interval
from sim.validate import LEVEL, Check
from sim.warehouse.theory import repair_queue

REPLICATIONS = 10


def checks(seed: int, replications: int = REPLICATIONS) -> Iterator[Check]:
    """All checks; intervals over replications."""
    yield charging(seed, replications)
    yield belt_bound(seed, replications)
    yield belt_rounds(seed, replications)


def charging(seed: int, replications: int, hours: float = 14.0) -> Check:
    """Robots at too few chargers against the machine-interference model M/M/2//20 with the think time seen in the
    same run.

    Robots always have work and never hold each other up much; service is from when the charger is reserved, the way
    there included, which is short against the exponential charge. The estimate is the ratio of simulated to
    predicted mean time from asking to leaving.
    """
    robots, chargers, warm_s = 20, 2, 2 * HOUR_S
    section = SortingSection(
        kind="robots",
        robots=SortRobotsSection(
            robots=robots, chute_rows=4, chute_columns=6, inductions=8, queue_cells=3, chargers=chargers,
            drive_s=700.0, charge_s=400.0, charge_below=0.2, load_cv=0.0,
        ),
        errors=ErrorsSection(missort=0.0),
        chutes=ChutesSection(capacity_parcels=10**6),
    )  # fmt: skip
    ratios = []
    for replication in range(replications):
        streams = Streams(seed, replication)
        draw = streams.generator("theory", "charging")
        destination = streams.generator("theory", "destinations").integers(0, 24, 60_000)
        floor = RobotSorter(
            section,
            SortParcels.of(destination),
            allot_chutes(np.bincount(destination, minlength=24), 24),
            streams,
            charge_factor=draw.exponential,
        )
        floor.submit(np.arange(60_000), np.zeros(60_000))
        floor.advance(hours * HOUR_S)
        asked, _, finish = floor.charging.stays()
        taken = np.array(floor.charging.reserved)
        warm = asked > warm_s
        service_s = float((finish - taken)[warm].mean())
        predicted = repair_queue(robots, chargers, floor.charging.away_s(warm_s), service_s)
        ratios.append(float((finish - asked)[warm].mean()) / predicted)
    return Check("charging", "time at chargers, simulated / closed queue", 1.0, mean_interval(ratios, LEVEL))


def _belt(arrive_s: np.ndarray, streams: Streams, blocks: list[Disruption], **own: float) -> CrossBelt:
    section = SortingSection(
        kind="cross_belt",
        cross_belt=CrossBeltSection.model_validate(
            {"length_m": 80.0, "pitch_m": 0.8, "speed_mps": 2.0, "chutes": 20} | own
        ),
        chutes=ChutesSection(capacity_parcels=10**6),
        errors=ErrorsSection(missort=0.0),
    )
    destination = streams.generator("theory", "destinations").integers(0, 20, len(arrive_s))
    belt = CrossBelt(
        section,
        SortParcels.of(destination),
        allot_chutes(np.bincount(destination, minlength=20), 20),
        streams,
        blocks,
    )
    belt.submit(np.arange(len(arrive_s)), arrive_s)
    return belt


def belt_bound(seed: int, replications: int) -> Check:
    """One induction that is always ready fills every cell that passes: speed / pitch parcels a second."""
    rates = []
    for replication in range(replications):
        streams = Streams(seed, replication)
        belt = _belt(np.zeros(15_000), streams, [], inductions=1, induct_s=1e-6, induct_cv=0.0)
        belt.run()
        put_on = belt.times.load_s
        rates.append(float(((put_on >= 400.0) & (put_on < 400.0 + HOUR_S)).sum()))
    interval = mean_interval(rates, LEVEL)
    # Nothing is random here; the hour's ends may cut off a parcel.
    within = Interval(interval.mean, max(interval.half_width, 1.0), LEVEL, interval.n)
    return Check("cross-belt", "parcels/h on a full loop", throughput_bound(belt.own), within)


def belt_rounds(seed: int, replications: int, share: float = 0.4) -> Check:
    """Each chute closed in each lap with a probability p of its own: p / (1 − p) extra rounds."""
    means = []
    for replication in range(replications):
        streams = Streams(seed, replication)
        closed = streams.generator("theory", "closed").random((20, 1000)) < share
        blocks = [
            Disruption("chute_blocked", int(c), 40.0 * float(k), 40.0 * float(k + 1))
            for c, k in np.argwhere(closed)
        ]
        belt = _belt(steady_arrivals(1800.0, 10.0, streams), streams, blocks, inductions=2)
        means.append(float(belt.run().times.refusals.mean()))
    known = share / (1 - share)
    return Check("cross-belt", "extra rounds, chutes closed 40 % of laps", known, mean_interval(means, LEVEL))
